#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# include_edges_test.sh CHECKER TABLE: a small tree that keeps every rule passes, and one wrong include at a time fails.
set -uo pipefail
checker="$1" table="$2" failed=0
tree="$(mktemp -d)"
trap 'rm -rf "$tree"' EXIT

put() { mkdir -p "$tree/$(dirname "$1")" && printf '%s\n' "$2" >"$tree/$1"; }
expect() {  # expect EXIT TEXT: what the checker must answer now
  local output status=0
  output="$(bash "$checker" "$tree" "$table" 2>&1)" || status=$?
  if ((status == $1)) && [[ "$output" == *"$2"* ]]; then printf 'ok    %s\n' "$2"; return; fi
  printf 'WRONG exit %s, expected %s and: %s\n%s\n' "$status" "$1" "$2" "$output"
  failed=1
}
planted() {  # planted FILE INCLUDE TEXT: the good tree with one include more
  put "$1" "#include $2"
  expect 1 "$3"
  rm "$tree/$1"
}

expect 1 '0 includes in 0 files'
put core/base/a.h '#include <span>'
put core/base/a_test.cpp '#include <vector>'
put core/crypto/openssl/b.h '#include <openssl/evp.h>'
put sim/c.h '#include "core/base/a.h"'
put proxy/d.h '#include <vector>'
put proxy/d_test.cpp '#include "sim/c.h"'
expect 0 '6 includes in 6 files, 0 wrong'

planted core/base/x.h '"sim/c.h"' 'core/base/x.h:1: core may not include sim'
planted core/base/x_test.cpp '"proxy/d.h"' 'core may not include proxy'
planted core/x.h '"core/crypto/openssl/b.h"' 'core may not include core/crypto/openssl'
planted core/x.h '<vector>' '<vector> is not a system header that core may include'
planted proxy/x.cpp '<openssl/evp.h>' 'proxy may not include <openssl/evp.h>'
planted proxy/x.cpp '"core/crypto/openssl/b.h"' 'proxy may not include core/crypto/openssl'
planted guest/x.cpp '"proxy/d.h"' 'guest may not include proxy'
planted sim/x.cpp '"c.h"' '"c.h" is not a path from the root of the repository'
planted other/x.cpp '<vector>' 'other/x.cpp:1: no line of the table covers this folder'
exit "$failed"
