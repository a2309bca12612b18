#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# expect_refusal.sh LINE COMMAND…: succeeds only if COMMAND exits with 1 and one line of its output begins with LINE.
# So a check that crashes, or refuses for another reason, does not count as one that works.
set -uo pipefail
line="$1"
shift
output="$("$@" 2>&1)"
status=$?
printf '%s\n' "$output"
if ((status != 1)); then echo "expect_refusal: exit $status, expected 1"; exit 1; fi
while IFS= read -r found; do
  [[ "$found" == "$line"* ]] && exit 0
done <<<"$output"
echo "expect_refusal: no line begins with: $line"
exit 1
