#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# units.sh DOCS DIRECTORY: lets systemd-analyze judge the units of DOCS/systemd with the program of DIRECTORY: that they
# are well formed, and that the service is as closed as this repository says it is. Exit 77 if there is no systemd-analyze.
set -euo pipefail
docs="$(realpath "$1")" programs="$(realpath "$2")"
# systemd's "exposure level" in tenths: 0 is closed, 96 a service without any restriction. The unit stands at 16; what is
# open of it is on purpose: the broker is reached over IP by a name, guests over unix and vsock.
most_exposed=16

command -v systemd-analyze >/dev/null || { echo 'units: not judged, no systemd-analyze here'; exit 77; }
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
sed "s#^ExecStart=[^ ]*#ExecStart=$programs/attest-proxy#; s#^EnvironmentFile=.*#EnvironmentFile=$docs/examples/attest-proxy.conf#" \
  "$docs/systemd/attest-proxy.service" >"$work/attest-proxy.service"
cp "$docs/systemd/attest-proxy.socket" "$work"

said="$(SYSTEMD_UNIT_PATH="$work:" systemd-analyze verify --man=no "$work/attest-proxy.service" "$work/attest-proxy.socket" 2>&1 |
  grep -F 'attest-proxy' || true)"
[[ -z "$said" ]] || { echo "units: systemd-analyze verify: $said"; exit 1; }

if ! said="$(systemd-analyze security --offline=true --no-pager --threshold="$most_exposed" "$work/attest-proxy.service" 2>&1)"; then
  echo "units: attest-proxy.service is more exposed than $most_exposed of 100:"
  grep -v '^✓' <<<"$said" || true
  exit 1
fi
tail -n 1 <<<"$said"
