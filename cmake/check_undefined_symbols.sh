#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check_undefined_symbols.sh ALLOWED OBJECT: lists what OBJECT leaves undefined and fails on a name that is not in the
# file ALLOWED (one name a line, C++ names without parameters, # begins a comment).
set -euo pipefail
(($# == 2)) || { echo "usage: check_undefined_symbols.sh ALLOWED OBJECT" >&2; exit 2; }
allowed="$1" object="$2" refused=0 listed=0

symbols="$(nm --undefined-only --demangle "$object")"
while read -r _ name; do
  [[ -n "$name" ]] || continue
  name="${name%%(*}"
  ((++listed))
  if grep -qxF -- "$name" <(sed 's/#.*//' "$allowed"); then
    echo "allowed: $name"
  else
    echo "not allowed: $name"
    refused=1
  fi
done < <(sed 's/^ *//' <<<"$symbols" | sort -u)

echo "$(basename "$object"): $listed undefined symbols"
exit "$refused"
