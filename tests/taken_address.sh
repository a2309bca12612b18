#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# taken_address.sh DIRECTORY: starts mock-kbs and attest-proxy of DIRECTORY, and each again where the first one listens:
# the second must end with 3, and one line that says so and what to do.
set -euo pipefail
programs="$(realpath "$1")"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"

# ready COMMAND…: what it says after `ready`, in `address`; its process in `pid`.
ready() {
  local line=''
  coproc server { exec timeout 30 "$@" 2>first.err; }
  pid="$server_PID"
  read -r -t 20 -u "${server[0]}" line || true
  [[ "$line" == 'ready '* ]] || { echo "taken_address: not ready, it said: ${line:-nothing}"; cat first.err; exit 1; }
  address="${line#ready }"
}

# refused WORDS COMMAND…: it ends with 3, and its only line that is no log has WORDS.
refused() {
  local words="$1" status=0; shift
  timeout 30 "$@" >second.out 2>second.err || status=$?
  if ((status != 3)) || ! grep -v '^{' second.err | grep -qF "$words"; then
    echo "taken_address: exit $status, expected 3 and: $words"
    cat second.err
    exit 1
  fi
  echo "refused as expected: $(grep -v '^{' second.err)"
}

"$programs/snp-sim" certs --out ca >/dev/null 2>&1
broker=("$programs/mock-kbs" --root ca/ark.pem --measurement "$(printf '0%.0s' {1..96})")
ready "${broker[@]}" --listen 127.0.0.1:0
refused 'found Address already in use; another process listens there' "${broker[@]}" --listen "${address#http://}"
kill "$pid"; wait "$pid"
proxy=("$programs/attest-proxy" --url http://127.0.0.1:1 --protocol kbs --unix "$work/line.sock")
ready "${proxy[@]}"
refused 'Address already in use): another process listens there' "${proxy[@]}"
kill "$pid"; wait "$pid"
