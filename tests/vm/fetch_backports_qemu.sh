#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# fetch_backports_qemu.sh [DIRECTORY]: unpacks the QEMU of bookworm-backports, which knows sev-snp-guest, into DIRECTORY
# (build/qemu-backports by default), and prints the path of its program. Installs nothing: apt gets a configuration and
# state of its own below DIRECTORY, and /etc and /var stay as they are. Debian's libraries for QEMU 7.2 must be installed
# (qemu-system-x86), since only QEMU itself is unpacked. Exit: 0 ok, 3 could not.
set -euo pipefail
directory="${1:-build/qemu-backports}"
die() { echo "fetch_backports_qemu: $*" >&2; exit 3; }

for tool in apt-get dpkg-deb; do
  command -v "$tool" >/dev/null || die "no $tool here: expected a Debian system, found another"
done
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[[ -r "$keyring" ]] || die "no $keyring: apt-get install debian-archive-keyring"

mkdir -p "$directory"/apt/{lists/partial,archives/partial}
directory="$(cd "$directory" && pwd)"
program="$directory/usr/bin/qemu-system-x86_64"
state="$directory/apt"
# The mirror that this machine uses already, so that a configured proxy or mirror stays the only way out.
mirror="$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 2>/dev/null | grep -m 1 'debian\.org/debian/*$' || true)"
echo "deb [arch=amd64 signed-by=$keyring] ${mirror:-http://deb.debian.org/debian} bookworm-backports main" >"$state/sources.list"
options=(-q -o Dir::Etc::sourcelist="$state/sources.list" -o Dir::Etc::sourceparts=/dev/null
  -o Dir::State::lists="$state/lists" -o Dir::Cache::archives="$state/archives"
  -o Dir::Cache::pkgcache="" -o Dir::Cache::srcpkgcache="" -o APT::Sandbox::User=root)

apt-get "${options[@]}" update >&2 || die "apt-get update failed: is there a network?"
cd "$state/archives"
apt-get "${options[@]}" download -t bookworm-backports \
  qemu-system-x86/bookworm-backports qemu-system-common/bookworm-backports qemu-system-data/bookworm-backports >&2 ||
  die "the packages of bookworm-backports could not be downloaded"
for package in qemu-system-*.deb; do dpkg-deb -x "$package" "$directory"; done

[[ -x "$program" ]] || die "$program: expected in the packages, and is not there"
version="$("$program" --version)" || die "$program does not run: apt-get install qemu-system-x86 brings its libraries"
echo "fetch_backports_qemu: ${version%%$'\n'*}" >&2
echo "$program"
