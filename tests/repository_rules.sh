#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# repository_rules.sh ROOT: what holds for every file below ROOT. Prints one line per breach; exit 1 if there is any.
#   licence  every source, CMake file and script has its SPDX line among the first two
#   paths    no file names a directory of the machine that it was written on
#   package  no file but a test names a kernel package of one version, which the archive drops with the next
#   length   no source has more than 400 lines: a longer one holds two ideas
set -euo pipefail
cd "$1"
bad=0 files=0
wrong() { echo "repository_rules: $1: $2"; bad=1; }

while IFS= read -r file; do
  file="${file#./}"
  ((++files))
  case "$file" in
    *.h | *.cpp | *.cmake | *.sh | *.py | */CMakeLists.txt | CMakeLists.txt | run | .ci/run | .clang-tidy)
      [[ "$(head -n 2 "$file")" == *'SPDX-License-Identifier: Apache-2.0'* ]] || wrong "$file" 'no SPDX line' ;;
  esac
  case "$file" in
    *.h | *.cpp | *.cmake | *.sh | *.py | run)
      (($(wc -l <"$file") <= 400)) || wrong "$file" 'more than 400 lines' ;;
  esac
done < <(find . \( -path ./build -o -path ./out -o -path ./.git -o -path ./.cache \) -prune -o -type f -print)

while IFS= read -r hit; do
  wrong "${hit#./}" 'names a directory of one machine'
done < <(grep -rIlE '(^|[^A-Za-z0-9_.-])/(home|work|root)/[A-Za-z0-9_.]' . --exclude-dir=build --exclude-dir=out \
  --exclude-dir=.git --exclude-dir=.cache || true)

while IFS= read -r hit; do
  wrong "${hit#./}" 'names a kernel package of one version: linux-image-amd64 is always there'
done < <(grep -rIlE 'linux-image-[0-9]+\.' . --exclude-dir=build --exclude-dir=out --exclude-dir=.git --exclude-dir=.cache \
  --exclude='*_test.*' || true)

echo "repository_rules: $files files looked at"
((files > 0 && bad == 0))
