#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# include_edges.sh ROOT TABLE: checks every include of every .h and .cpp below ROOT against TABLE (whose comments say
# what its lines mean). Prints one line per wrong include; exit 1 if there is any, or nothing to check.
set -euo pipefail
(($# == 2)) || { echo "usage: include_edges.sh ROOT TABLE" >&2; exit 2; }
table="$(readlink -f "$2")"
cd "$1"

find . \( -path ./build -o -path ./.git \) -prune -o \( -name '*.h' -o -name '*.cpp' \) -print | sed 's|^\./||' | sort |
  awk -v table="$table" '
function folder_of(path) {  # the longest folder of the table that holds path; empty if none does
  while (sub(/\/[^\/]*$/, "", path)) if (path in edges) return path
  return ""
}
function has(list, word) { return index(" " list " ", " " word " ") > 0 }
function wrong(line, why) { print "include_edges: " file ":" line ": " why; bad++ }

BEGIN {
  while ((getline line < table) > 0) {
    sub(/#.*/, "", line)
    if (line !~ /:/) continue
    key = line; sub(/:.*/, "", key)
    list = line; sub(/^[^:]*: */, "", list)
    if (key == "tests also") also = list
    else if (key ~ /^<.*> only$/) { gsub(/[<>]| only/, "", key); only[key] = list }
    else if (sub(/ <>$/, "", key)) system_headers[key] = list
    else edges[key] = list
  }
}
{ files[++count] = $0; exists[$0] = 1 }
END {
  for (i = 1; i <= count; i++) {
    file = files[i]
    from = folder_of(file)
    test = file ~ /_test\.cpp$/ || has(also, file)
    if (from == "") { wrong(1, "no line of the table covers this folder"); continue }
    number = 0
    while ((getline line < file) > 0) {
      number++
      if (line !~ /^[ \t]*#[ \t]*include[ \t]*["<]/) continue
      includes++
      quoted = line ~ /include[ \t]*"/
      sub(/^[^"<]*["<]/, "", line); sub(/[">].*/, "", line)
      if (quoted) {
        to = folder_of(line)
        if (!(line in exists)) wrong(number, "\"" line "\" is not a path from the root of the repository")
        else if (from == to || has(edges[from], "*") || has(edges[from], to)) continue
        else if (test && has("sim sim/device sim/kds core/crypto/openssl core/posix", to)) continue
        else wrong(number, from " may not include " to)
      } else {
        directory = line; sub(/\/.*/, "", directory)
        if (directory != line && directory in only && !has(only[directory], from))
          wrong(number, from " may not include <" line ">")
        else if (from in system_headers && !test && !has(system_headers[from], line))
          wrong(number, "<" line "> is not a system header that " from " may include")
      }
    }
    close(file)
  }
  print "include_edges: " includes + 0 " includes in " count + 0 " files, " bad + 0 " wrong"
  exit bad > 0 || includes == 0
}'
