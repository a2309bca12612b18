#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# edge_coverage.sh FOLDER TARGET…: of the edges in core/ (no tests), those that the inputs of these targets reach
# together. FOLDER is the build folder of the fuzz preset; inputs are its corpus/TARGET and fuzz/corpus/TARGET.
# Prints: covered all. Anything that goes wrong ends it with status 1 and a line on standard error.
#
# An edge is clang's: -fsanitize-coverage=inline-8bit-counters,pc-table. The same function is in many programs, at
# another address in each: it is known by its name and file, its edges by their order. What there is to reach is what
# fuzz_core_edges lists, a program of all of core's libraries: so functions that no target links count as not reached,
# and what other folders make of core's templates does not count.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

fail() { printf 'edge_coverage: %s\n' "$*" >&2; exit 1; }

build="$1"; shift
(($#)) || fail "no targets"
symbolizer="$(command -v llvm-symbolizer-14)" || fail "llvm-symbolizer-14 is missing"
rm -rf "$build/coverage"
mkdir -p "$build/coverage"

# edges_of PROGRAM INPUT…: lines of "name|file edges" for the functions of core/.
edges_of() {
  local program="$1" out; shift
  out="$build/coverage/$(basename "$program")"
  timeout 600 "$program" "$out.edges" "$@" >"$out.log" 2>&1 || fail "$program failed ($?), see $out.log"
  cut -d ' ' -f 1 "$out.edges" |
    "$symbolizer" --obj="$program" --functions=linkage --no-demangle --no-inlines --output-style=GNU >"$out.names" ||
    fail "cannot symbolize $program"
  paste -d ' ' - - <"$out.names" | paste -d ' ' - "$out.edges" |
    awk '{ sub(/:[0-9?]+( .*)?$/, "", $2) }
      $2 ~ /(^|\/)core\/[a-z]/ && $2 !~ /_test\.cpp$/ && $2 !~ /^\/usr\// {
        sub(/^.*\/?core\//, "core/", $2)
        print $1 "|" $2, $NF
      }'
}

edges_of "$build/bin/fuzz_core_edges" >"$build/coverage/core" || exit 1
for target; do
  inputs=("fuzz/corpus/$target")
  [[ -d "$build/corpus/$target" ]] && inputs+=("$build/corpus/$target")
  edges_of "$build/bin/${target}_coverage" "${inputs[@]}" || exit 1
done >"$build/coverage/reached" || exit 1

awk 'FNR == NR { edges[$1] = length($2); next }
  $1 in edges {
    for (i = 1; i <= edges[$1]; ++i) if (substr($2, i, 1) == "1") reached[$1, i] = 1
  }
  END {
    for (name in edges) {
      ++functions
      all += edges[name]
      for (i = 1; i <= edges[name]; ++i) covered += (name, i) in reached
    }
    if (functions < 100 || covered == 0) exit 1
    print covered, all
  }' "$build/coverage/core" "$build/coverage/reached" || fail "no coverage of core/ in $build/coverage"
