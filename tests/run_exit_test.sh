#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What `./run` ends with when the program under it ends with a status of its own. Usage: run_exit_test.sh REPOSITORY
set -euo pipefail
run="$1/run"
stubs="$(mktemp -d)"
trap 'rm -rf "$stubs"' EXIT

# Everything is installed, everything builds; what ctest and clang-format say is the case's.
stub() { printf '#!/bin/sh\n%s\n' "$2" >"$stubs/$1"; chmod +x "$stubs/$1"; }
stub dpkg-query 'echo installed'
stub apt-get 'exit 100'
stub cmake 'exit 0'

expect() {
  local wanted="$1" status=0; shift
  PATH="$stubs:$PATH" "$run" "$@" >/dev/null 2>&1 || status=$?
  if ((status != wanted)); then
    echo "./run $*: exit $status, expected $wanted" >&2
    exit 1
  fi
}

stub ctest 'exit 8'
expect 1 test -R one
stub ctest 'exit 0'
expect 0 test -R one
# Whichever of the parts fails, the whole does; the parts after it cannot make that good.
stub ninja 'exit 0'
stub ctest 'case "$*" in *build/tsan*) exit 8 ;; esac'
expect 1 test
stub ctest 'exit 0'
stub clang-format-14 'exit 1'
expect 1 format --check
stub clang-format-14 'exit 255'
expect 1 format --check
stub clang-format-14 'exit 0'
expect 0 format --check
expect 2 format --nonsense
expect 2 nonsense

# Where a kernel goes: the one for SNP guests never replaces that of the simulation. In a copy, whose fetcher only says
# what it was told.
copy="$stubs/copy"
mkdir -p "$copy/guest/image"
cp "$run" "$copy/run"
run="$copy/run"
fetcher() { printf '#!/bin/sh\necho "$*" >>"%s"\nexit %s\n' "$copy/told" "$1" >"$copy/guest/image/fetch_kernel.sh"; }
fetched() {
  local wanted="$1" status="$2"; shift 2
  rm -f "$copy/told"
  expect "$status" "$@"
  if [[ "$(cat "$copy/told")" != "$wanted" ]]; then
    echo "./run $*: fetched '$(cat "$copy/told")', expected '$wanted'" >&2
    exit 1
  fi
}
fetcher 0
chmod +x "$copy/guest/image/fetch_kernel.sh"
fetched 'build/kernel' 0 kernel
fetched 'build/kernel' 0 kernel linux-image-cloud-amd64
fetched 'build/kernel-snp linux-image-amd64' 0 kernel linux-image-amd64
fetched 'build/kernel' 0 deps
fetcher 3
fetched 'build/kernel' 3 kernel
fetched 'build/kernel' 0 deps
