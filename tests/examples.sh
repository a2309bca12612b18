#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# examples.sh DOCS DIRECTORY: starts the programs of DIRECTORY with every example configuration of DOCS as a reader would
# copy it, and wants each to get ready and to end cleanly.
set -euo pipefail
docs="$(realpath "$1")" programs="$(realpath "$2")"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"

# gets_ready NAME COMMAND…: it says `ready …`, and SIGTERM ends it with 0.
gets_ready() {
  local name="$1" pid line='' status=0
  shift
  coproc server { exec timeout 30 "$@" 2>"$name.err"; }
  pid="$server_PID"
  read -r -t 20 -u "${server[0]}" line || true
  if [[ "$line" != ready* ]]; then
    echo "examples: $name is not ready, it said: ${line:-nothing}"
    cat "$name.err"
    exit 1
  fi
  kill "$pid"
  wait "$pid" || status=$?
  ((status == 0)) || { echo "examples: $name ended with $status"; cat "$name.err"; exit 1; }
  echo "$name: $line"
}

# What the examples name beside themselves.
"$programs/snp-sim" certs --out ca >/dev/null 2>&1
for name in $(grep -oh '= "[a-z-]*\.\(bin\|key\|pem\)"' "$docs"/examples/*.toml | cut -d'"' -f2); do
  printf 'a secret' >"$name"
done
for config in "$docs"/examples/{mock-kbs,resources}.toml; do
  cp "$config" .
  gets_ready "$(basename "$config")" "$programs/mock-kbs" --config "$(basename "$config")" --listen 127.0.0.1:0
done

# The unit's command line with the example's two variables, as systemd splits them: ${URL} is one word, $OPTIONS many.
url="$(sed -n 's/^URL=//p' "$docs/examples/attest-proxy.conf")"
read -r -a options <<<"$(sed -n 's/^OPTIONS=//p' "$docs/examples/attest-proxy.conf")"
grep -q '^ExecStart=[^ ]*/attest-proxy --url ${URL} --protocol kbs $OPTIONS$' "$docs/systemd/attest-proxy.service"
gets_ready attest-proxy.conf "$programs/attest-proxy" --url "$url" --protocol kbs "${options[@]}" --unix "$work/p.sock"
