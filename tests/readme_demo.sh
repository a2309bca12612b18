#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# readme_demo.sh PAGE PROGRAM: runs `PROGRAM run --show-secret`, which is what `./run demo` ends with, and compares what it
# prints with the block of PAGE (README.md) that begins with its first words. What differs from run to run stands for
# itself by its kind alone: times, digests and ports; `--print` as a third argument prints a block to put there.
set -euo pipefail
page="$1" program="$2" mode="${3:-compare}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

"$program" run --show-secret >"$work/found"
if [[ "$mode" == --print ]]; then cat "$work/found"; exit; fi
awk '/^```$/ { inside = !inside; block = ""; next }
     inside && block == "" { block = /^attestbed run:/ ? "ours" : "other" }
     inside && block == "ours" { print }' "$page" >"$work/wanted"

# Columns move with the width of a time, so blanks count as one; sizes, names and words count as they are.
by_kind() {
  sed -E 's/[0-9]+\.[0-9] ms/TIME/g; s/[0-9a-f]{8}\.\.[0-9a-f]{8}/DIGEST/g; s/\b[0-9a-f]{16}\b/DIGEST/g
    s/(127\.0\.0\.1:)[0-9]+/\1PORT/g; s/ +/ /g; s/ $//' "$1"
}
[[ -s "$work/wanted" ]] || { echo "readme_demo: $page has no block that begins with 'attestbed run:'"; exit 1; }
if ! diff <(by_kind "$work/wanted") <(by_kind "$work/found"); then
  echo "readme_demo: $page (<) is not what the program prints (>); readme_demo.sh --print prints a block"
  exit 1
fi
