#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# fetch_kernel.sh DIR [METAPACKAGE]: has Debian's kernel package in DIR, unpacked: boot/vmlinuz-RELEASE, its config, and
# what an image may take of lib/modules. Needs apt, no root. Does nothing if DIR holds the kernel that the archive would
# give, replaces one that it fetched before, and refuses a DIR with anything else in it. The metapackage is
# linux-image-cloud-amd64 by default; guests under SEV-SNP need linux-image-amd64, whose kernel has the driver sev-guest.
set -euo pipefail
say() { printf 'fetch_kernel: %s\n' "$*" >&2; }
die() { say "$*"; exit 3; }

(($# == 1 || $# == 2)) || { echo 'usage: fetch_kernel.sh DIR [METAPACKAGE]' >&2; exit 2; }
into="$1" meta="${2:-linux-image-cloud-amd64}"
# What guest/image looks for, and what that depends on; a folder is taken whole.
wanted=(drivers/virtio drivers/char/virtio_console.ko drivers/virt/coco fs/fuse fs/configfs net/vmw_vsock
  crypto arch/x86/crypto lib/crypto)

command -v apt-get dpkg-deb >/dev/null || die 'no apt here: unpack a kernel package by hand and name it: attestbed image --kernel DIR'
# package_of METAPACKAGE: the kernel that it stands for; nothing where apt knows none. In English, whatever the caller
# speaks: the words of apt-cache are translated.
package_of() {
  { LC_ALL=C apt-cache depends "$1" 2>/dev/null || true; } | sed -n 's/^ *Depends: \(linux-image-[0-9][^ ]*\)$/\1/p' | head -n 1
}
package="$(package_of "$meta")"
if [[ -z "$package" ]]; then
  # Debian has linux-image-amd64 always.
  [[ -z "$(package_of linux-image-amd64)" ]] ||
    die "apt knows no $meta that stands for a kernel: name another, as linux-image-amd64 (apt-cache search linux-image)"
  # A machine whose lists of packages were never fetched; a fetched kernel is good enough without them.
  [[ -s "$into/version" ]] && { say "no package lists: keeping $(head -n 1 "$into/version")"; exit 0; }
  die "apt knows no $meta: run apt-get update as root (./run deps does)"
fi
version="$package $(LC_ALL=C apt-cache show "$package" | sed -n 's/^Version: //p' | head -n 1)"
stamp="$version"$'\n'"keeps ${wanted[*]}"
[[ "$(cat "$into/version" 2>/dev/null)" == "$stamp" ]] && exit 0
# What it wrote itself, or what holds nothing: anything else is somebody's.
if [[ -e "$into" || -L "$into" ]]; then
  [[ -d "$into" ]] || die "$into: is no directory"
  [[ -z "$(ls -A "$into")" || -f "$into/version" ]] ||
    die "$into: holds other files and no kernel of this program (no file 'version'): name another directory"
fi

mkdir -p "$(dirname "$into")"
work="$(mktemp -d "$(dirname "$into")/.kernel-XXXXXX")"
trap 'rm -rf "$work"' EXIT
say "fetching $version"
# As root, apt downloads as its user _apt, which may not write here.
as_root=()
((EUID != 0)) || as_root=(-o APT::Sandbox::User=root)
(cd "$work" && apt-get -qq "${as_root[@]}" download "$package" >&2) || die "apt-get download $package failed"
dpkg-deb -x "$work/$package"_*.deb "$work/tree" || die "cannot unpack $package"

release="${package#linux-image-}"
modules="$work/tree/lib/modules/$release"
[[ -d "$modules" ]] || modules="$work/tree/usr/lib/modules/$release"
[[ -d "$modules" ]] || die "$package has no modules of $release"
kept="$work/kept"
mkdir -p "$kept/boot" "$kept/lib/modules/$release"
cp "$work/tree/boot/vmlinuz-$release" "$work/tree/boot/config-$release" "$kept/boot/"
cp "$modules/modules.builtin" "$kept/lib/modules/$release/"
for each in "${wanted[@]}"; do
  for found in "$modules/kernel/$each" "$modules/kernel/$each.xz"; do
    [[ -e "$found" ]] || continue
    mkdir -p "$kept/lib/modules/$release/kernel/$(dirname "$each")"
    cp -r "$found" "$kept/lib/modules/$release/kernel/$(dirname "$each")/"
  done
done
printf '%s\n' "$stamp" >"$kept/version"
rm -rf "$into"
mv "$kept" "$into"
say "$into: $version"
