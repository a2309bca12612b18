# SPDX-License-Identifier: Apache-2.0
"""Reads an initramfs: a cpio archive of the form "newc" (Linux: Documentation/driver-api/early-userspace)."""

import subprocess


def files(path):
    """files is {path: octets} of a zstd-compressed archive."""
    archive = subprocess.run(['zstd', '-dcq', path], stdout=subprocess.PIPE, check=True).stdout
    found, at = {}, 0
    while True:
        assert archive[at:at + 6] == b'070701', f'no entry at {at}'
        fields = [int(archive[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in range(13)]
        size, name_size = fields[6], fields[11]
        name = archive[at + 110:at + 110 + name_size - 1].decode()
        begin = (at + 110 + name_size + 3) & ~3
        if name == 'TRAILER!!!':
            return found
        found[name] = archive[begin:begin + size]
        at = (begin + size + 3) & ~3
