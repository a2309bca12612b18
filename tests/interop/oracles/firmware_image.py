# SPDX-License-Identifier: Apache-2.0
"""A synthetic OVMF: random octets with the tables that a launch reads, written from OVMF's own description of them."""
from __future__ import annotations

import random
import struct
import uuid

FOOTER = '96b582de-1fb2-45f7-baea-a366c55a082d'
HASH_TABLE = '7255371f-3a3b-4b04-927b-1da6efa8d454'
RESET_BLOCK = '00f771de-1a7e-4fcb-890e-68c77e2fb44e'
SEV_METADATA = 'dc886566-984a-4798-a75e-5585a7bf67cc'

SEC_MEM, SECRETS, CPUID, SVSM_CAA, KERNEL_HASHES = 1, 2, 3, 4, 0x10
AFTER_TABLE = 32  # the table ends so far before the end of the file


def entry(guid: str, data: bytes) -> bytes:
    return data + struct.pack('<H', len(data) + 18) + uuid.UUID(guid).bytes_le


def synthetic_ovmf(chosen: random.Random, kernel_hashes: bool) -> bytes:
    """synthetic_ovmf is a firmware of 64 KiB. Its kernel hash table begins anywhere in the page kept for it."""
    sections = [(0x800000, 0x9000, SEC_MEM), (0x80A000, 0x3000, SEC_MEM), (0x80D000, 0x1000, SECRETS),
                (0x80E000, 0x1000, CPUID), (0x811000, 0x1000, SVSM_CAA)]
    if kernel_hashes:
        sections.append((0x810000, 0x1000, KERNEL_HASHES))
    metadata = struct.pack('<4sIII', b'ASEV', 16 + 12 * len(sections), 1, len(sections))
    metadata += b''.join(struct.pack('<III', *section) for section in sections)
    file = bytearray(chosen.randbytes(64 * 1024))
    at = chosen.randrange(0x100, 0x8000)
    file[at:at + len(metadata)] = metadata
    table_gpa = 0x810000 + 16 * chosen.randrange(0, 200)
    entries = entry(RESET_BLOCK, struct.pack('<I', 0x80B000 + chosen.randrange(4) * 4))
    entries += entry(SEV_METADATA, struct.pack('<I', len(file) - at))
    if kernel_hashes:
        entries += entry(HASH_TABLE, struct.pack('<II', table_gpa, 0x400))
    table = entries + struct.pack('<H', len(entries) + 18) + uuid.UUID(FOOTER).bytes_le
    end = len(file) - AFTER_TABLE
    file[end - len(table):end] = table
    return bytes(file)
