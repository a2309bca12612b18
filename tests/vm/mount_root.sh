#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# What comes before attest-guest where there is a next root (docs/guest-image.md): it mounts one, a tmpfs in a disk's
# stead, and becomes attest-guest.
root=/sysroot
/bin/busybox mkdir -p "$root"
/bin/busybox mount -t tmpfs disk "$root"
/bin/busybox mkdir -p "$root/bin" "$root/sbin" "$root/dev" "$root/proc" "$root/run" "$root/sys"
/bin/busybox cp /bin/busybox "$root/bin/busybox"
/bin/busybox cp /test/next "$root/sbin/init"
/bin/busybox touch "$root/disk"
exec /init
