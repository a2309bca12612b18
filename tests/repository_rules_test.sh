#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# repository_rules_test.sh CHECKER: a tree that keeps the rules passes, and one breach at a time fails.
set -uo pipefail
checker="$1" failed=0
tree="$(mktemp -d)"
trap 'rm -rf "$tree"' EXIT
spdx='// SPDX-License-Identifier: Apache-2.0'

expect() {  # expect EXIT TEXT
  local output status=0
  output="$(bash "$checker" "$tree" 2>&1)" || status=$?
  if ((status == $1)) && [[ "$output" == *"$2"* ]]; then printf 'ok    %s\n' "$2"; return; fi
  printf 'WRONG exit %s, expected %s and: %s\n%s\n' "$status" "$1" "$2" "$output"
  failed=1
}
planted() {  # planted FILE CONTENT TEXT
  printf '%s\n' "$2" >"$tree/$1"
  expect 1 "$3"
  rm "$tree/$1"
}

expect 1 '0 files looked at'
printf '%s\n' "$spdx" >"$tree/a.cpp"
printf 'see /proc/self and https://example.org/work\n' >"$tree/notes.md"
expect 0 '2 files looked at'
planted b.h 'int b;' 'b.h: no SPDX line'
planted b.cpp "$spdx$(printf '\nint x%s;' {1..400})" 'b.cpp: more than 400 lines'
planted b.py "# ${spdx#// }$(printf '\nx%s = 1' {1..400})" 'b.py: more than 400 lines'
planted c.md "see /home""/somebody/x" 'c.md: names a directory of one machine'
planted c.cpp "$spdx /work""/x" 'c.cpp: names a directory of one machine'
planted c.md "apt-get download linux-image""-6.1.0-1-amd64" 'c.md: names a kernel package of one version'
exit "$failed"
