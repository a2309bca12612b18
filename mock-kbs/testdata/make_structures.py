#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes structures.json: real reports as Trustee's clients send them, built from the raw octets.

Run in this folder: ./make_structures.py > structures.json. Offsets are those of ATTESTATION_REPORT (SNP ABI 56860), member
names those of the crate virtee/sev. Nothing of attestbed is used: the file is what its decoder is judged by.
"""
import json
import pathlib
import struct

REPORTS = pathlib.Path("../../core/verify/testdata/reports")


def tcb(octets, turin):
    if turin:
        return {"fmc": octets[0], "bootloader": octets[1], "tee": octets[2], "snp": octets[3], "microcode": octets[7]}
    return {"fmc": None, "bootloader": octets[0], "tee": octets[1], "snp": octets[6], "microcode": octets[7]}


def structure(raw):
    def u32(at):
        return struct.unpack_from("<I", raw, at)[0]

    def u64(at):
        return struct.unpack_from("<Q", raw, at)[0]

    def octets(at, size):
        return list(raw[at:at + size])

    version, turin = u32(0), raw[0x188] == 0x1A
    out = {"version": version, "guest_svn": u32(4), "policy": u64(8), "family_id": octets(0x10, 16),
           "image_id": octets(0x20, 16), "vmpl": u32(0x30), "sig_algo": u32(0x34),
           "current_tcb": tcb(raw[0x38:0x40], turin), "plat_info": u64(0x40), "key_info": u32(0x48),
           "report_data": octets(0x50, 64), "measurement": octets(0x90, 48), "host_data": octets(0xC0, 32),
           "id_key_digest": octets(0xE0, 48), "author_key_digest": octets(0x110, 48), "report_id": octets(0x140, 32),
           "report_id_ma": octets(0x160, 32), "reported_tcb": tcb(raw[0x180:0x188], turin),
           "cpuid_fam_id": raw[0x188], "cpuid_mod_id": raw[0x189], "cpuid_step": raw[0x18A],
           "chip_id": octets(0x1A0, 64), "committed_tcb": tcb(raw[0x1E0:0x1E8], turin),
           "current": {"major": raw[0x1EA], "minor": raw[0x1E9], "build": raw[0x1E8]},
           "committed": {"major": raw[0x1EE], "minor": raw[0x1ED], "build": raw[0x1EC]},
           "launch_tcb": tcb(raw[0x1F0:0x1F8], turin),
           "launch_mit_vector": u64(0x1F8) if version >= 5 else None,
           "current_mit_vector": u64(0x200) if version >= 5 else None,
           "signature": {"r": octets(0x2A0, 72), "s": octets(0x2E8, 72)}}
    return out


names = ["v3-milan", "v3-milan-vlek", "v5-genoa", "v5-turin"]
print(json.dumps({name: structure((REPORTS / (name + ".bin")).read_bytes()) for name in names}, separators=(",", ":")))
