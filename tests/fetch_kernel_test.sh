#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What guest/image/fetch_kernel.sh says where apt cannot give a kernel; apt is a stub. Usage: fetch_kernel_test.sh REPOSITORY
set -euo pipefail
fetch="$1/guest/image/fetch_kernel.sh"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin" "$work/kept"
echo 'linux-image-6.1.0-1-amd64 6.1.1-1' >"$work/kept/version"

stub() { printf '#!/bin/sh\n%s\n' "$2" >"$work/bin/$1"; chmod +x "$work/bin/$1"; }
# As apt does for a name that it does not have: an error, status 100, nothing on standard output.
no_lists='echo "E: No packages found" >&2; exit 100'
# shellcheck disable=SC2016  # the stub expands it
some_lists='case "$*" in
"depends linux-image-amd64") printf "linux-image-amd64\n  Depends: linux-image-6.1.0-1-amd64\n" ;;
"show linux-image-6.1.0-1-amd64") printf "Package: linux-image-6.1.0-1-amd64\nVersion: 6.1.2-1\n" ;;
*) exit 100 ;;
esac'
stub apt-get 'echo "$@" >>"$0.called"; exit 100'
stub dpkg-deb 'exit 1'

# expect STATUS WORDS ARGUMENT…: the status, and words of its message.
expect() {
  local wanted="$1" words="$2" status=0 said; shift 2
  said="$(PATH="$work/bin:$PATH" "$fetch" "$@" 2>&1)" || status=$?
  if ((status != wanted)) || [[ "$said" != *"$words"* ]]; then
    printf 'fetch_kernel.sh %s: exit %s with "%s", expected %s with "%s"\n' "$*" "$status" "$said" "$wanted" "$words" >&2
    exit 1
  fi
}

expect 2 'usage: fetch_kernel.sh DIR' a b c
stub apt-cache "$no_lists"
expect 3 'apt knows no bogus-kernel: run apt-get update' "$work/new" bogus-kernel
expect 0 'keeping linux-image-6.1.0-1-amd64' "$work/kept" linux-image-amd64
stub apt-cache "$some_lists"
expect 3 'apt knows no bogus-kernel that stands for a kernel' "$work/new" bogus-kernel
expect 3 'apt knows no bogus-kernel that stands for a kernel' "$work/kept" bogus-kernel
[[ ! -e "$work/bin/apt-get.called" ]] || { echo 'apt-get was called for a package that is not there' >&2; exit 1; }
expect 3 'apt-get download linux-image-6.1.0-1-amd64 failed' "$work/new" linux-image-amd64
if ((EUID == 0)) && ! grep -q 'APT::Sandbox::User=root' "$work/bin/apt-get.called"; then
  echo 'as root, apt-get would download as another user, who may not write here' >&2
  exit 1
fi
