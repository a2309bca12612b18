#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# man_pages.sh PROGRAM PAGE: holds a man page to its program. Every flag of `PROGRAM --help` is an `.It Fl` of the page and
# the reverse; the flags of a subcommand are in the page's `.Ss` of that name. The page must also be free of complaints
# of mandoc or, without it, groff. Prints one line for each difference; exit 1 if there is any.
set -euo pipefail
program="$1" page="$2" bad=0
wrong() { echo "man_pages: ${page##*/}: $1"; bad=1; }

# Flags of one command's help: lines like `  -f,--force   …` and `  --unix PATH REQUIRED   …`.
help_flags() {
  { "$program" "$@" --help || true; } | grep -oE '^  (-[a-zA-Z],)?--[a-z][a-z0-9-]*' | tr ',' '\n' | tr -d ' ' | sort -u
}

# Flags of one part of the page: what stands in `.It Fl …` before the first `.Ss`, or under the `.Ss` of a subcommand.
page_flags() {
  awk -v wanted="$1" '
    /^\.Ss / { part = $2; next }
    /^\.Sh / { part = ""; next }
    /^\.It Fl / && part == wanted {
      for (i = 2; i < NF; i++) if ($i == "Fl") print "-" $(i + 1)
    }' "$page" | sort -u
}

compare() {
  local part="$1"
  shift
  local line
  while IFS= read -r line; do
    case "$line" in
      '<'*) wrong "${part:-${program##*/}}: ${line#< } is in --help and not in the page" ;;
      '>'*) wrong "${part:-${program##*/}}: ${line#> } is in the page and not in --help" ;;
    esac
    # -h and --help are described once, for the program.
  done < <(diff <(help_flags "$@" | { [[ -z "$part" ]] && cat || grep -vxE -- '-h|--help' || true; }) <(page_flags "$part") || true)
}

[[ "$(head -n 2 "$page")" == *'SPDX-License-Identifier: Apache-2.0'* ]] || wrong 'no SPDX line'
compare ''
subcommands="$("$program" --help | awk '/^Subcommands:/ { on = 1; next } on && /^  [a-z]/ { print $1 } on && /^$/ { on = 0 }')"
for subcommand in $subcommands; do
  grep -qx "\.Ss $subcommand" "$page" || wrong "no section for $subcommand"
  compare "$subcommand" "$subcommand"
done
while IFS= read -r section; do
  grep -qw -- "$section" <<<"$subcommands" || wrong "$section is no subcommand"
done < <(awk '/^\.Ss / { print $2 }' "$page")

if command -v mandoc >/dev/null; then
  complaints="$(mandoc -Tlint -Wwarning "$page" 2>&1 || true)"
elif command -v groff >/dev/null; then
  complaints="$(groff -mdoc -Tutf8 -ww -z "$page" 2>&1 || true)"
else
  complaints=''
  echo 'man_pages: neither mandoc nor groff here: the form was not checked'
fi
[[ -z "$complaints" ]] || wrong "$complaints"
((bad == 0))
