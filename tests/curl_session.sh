#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# curl_session.sh PAGE DIRECTORY: runs the `sh` blocks of PAGE (docs/curl-session.md, docs/admin-session.md) in order, in one shell, with the
# programs of DIRECTORY, and compares what each prints with the `text` block that follows it. In a `text` block `…` stands
# for anything. `--print` as a third argument prints what came out instead, for whoever edits the page. Exit 77 if curl
# or openssl is missing.
set -euo pipefail
page="$(realpath "$1")" programs="$(realpath "$2")" mode="${3:-compare}"
command -v curl >/dev/null && command -v openssl >/dev/null || {
  echo 'curl_session: curl and openssl are needed'
  exit 77
}
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"

# Blocks become files: 1.sh, 1.text, 2.sh, …
awk '
  /^```sh$/ { n++; out = n ".sh"; next }
  /^```text$/ { out = n ".text"; next }
  /^```$/ { out = ""; next }
  out != "" { print > out }
' "$page"
count="$(ls ./*.sh | wc -l)"
((count > 0)) && [[ "$count" == "$(ls ./*.text | wc -l)" ]] || { echo "curl_session: $count blocks, not each with its text"; exit 1; }

mkdir session
{
  echo 'cd session'
  echo "trap 'kill \$BROKER 2>/dev/null || true' EXIT"
  for ((i = 1; i <= count; i++)); do echo "exec >../$i.out 2>&1"; cat "$i.sh"; done
} >all.bash
status=0
PATH="$programs:$PATH" timeout 120 bash all.bash || status=$?

bad=0
for ((i = 1; i <= count; i++)); do
  touch "$i.out"
  if [[ "$mode" == --print ]]; then
    echo "== $i"; cat "$i.out"
    continue
  fi
  mapfile -t wanted <"$i.text"
  mapfile -t found <"$i.out"
  for ((line = 0; line < ${#wanted[@]} || line < ${#found[@]}; line++)); do
    pattern="${wanted[line]-(nothing)}"
    # Every character but the ellipsis stands for itself.
    pattern="${pattern//\\/\\\\}"; pattern="${pattern//\*/\\*}"; pattern="${pattern//\?/\\?}"; pattern="${pattern//\[/\\[}"
    pattern="${pattern//…/*}"
    # shellcheck disable=SC2053
    if [[ "${found[line]-(nothing)}" != $pattern ]]; then
      echo "block $i, line $((line + 1)):"
      echo "  wanted ${wanted[line]-(nothing)}"
      echo "  found  ${found[line]-(nothing)}"
      bad=1
    fi
  done
done
((status == 0)) || echo "curl_session: the session ended with $status"
((bad == 0 && status == 0))
