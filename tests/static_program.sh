#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# static_program.sh PROGRAM EXIT ARGUMENT…: PROGRAM is one file that needs no other, and no environment variable that
# loaders, the C library or OpenSSL know changes what it says when it is started with these arguments. They make it fail
# with EXIT, so that nothing else is needed and all of the start is run through; `@` in them is a folder without files.
set -euo pipefail
program=$1 expected=$2
shift 2

fail() {
  echo "static_program: $*" >&2
  exit 1
}

headers=$(readelf --wide --program-headers "$program")
[[ $headers != *INTERP* ]] || fail "$program asks for a dynamic loader"
[[ $headers != *DYNAMIC* ]] || fail "$program has a dynamic section"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
printf 'openssl_conf = init\n[init]\nproviders = p\n[p]\ntrap = t\n[t]\nmodule = %s/absent.so\nactivate = 1\n' \
  "$scratch" > "$scratch/openssl.cnf"

arguments=("${@//@/$scratch}")
attempt() {
  local status=0
  env -i "$@" "$program" "${arguments[@]}" > "$scratch/out" 2> "$scratch/err" || status=$?
  echo "exit $status"
  cat "$scratch/out" "$scratch/err"
}

attempt > "$scratch/plain"
grep -qx "exit $expected" "$scratch/plain" || fail "expected exit $expected: $(cat "$scratch/plain")"
for variable in "OPENSSL_CONF=$scratch/openssl.cnf" "OPENSSL_MODULES=$scratch" "OPENSSL_ENGINES=$scratch" \
  "LD_PRELOAD=$scratch/absent.so" "LD_LIBRARY_PATH=$scratch" "LD_DEBUG=all" "LD_TRACE_LOADED_OBJECTS=1" \
  "MALLOC_CHECK_=3" "MALLOC_PERTURB_=165" "MALLOC_TOP_PAD_=1" "GLIBC_TUNABLES=glibc.malloc.check=3" \
  "LC_ALL=xx_XX" "http_proxy=http://127.0.0.1:1/" "HOME=$scratch" "POSIXLY_CORRECT=1"; do
  attempt "$variable" > "$scratch/changed"
  cmp -s "$scratch/plain" "$scratch/changed" || fail "$variable changes the result: $(cat "$scratch/changed")"
done
echo "static_program: $(stat -c %s "$program") octets, needs no other file"
