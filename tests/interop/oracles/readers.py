# SPDX-License-Identifier: Apache-2.0
"""What published programs read in a report, field by field, beside `attestbed show`: whoever prints a report must print the
same one. A field that a version lacks is zero to all."""
from __future__ import annotations

import concurrent.futures
import json
import os
import pathlib
import re
import subprocess

from cases import COMPONENT_OCTETS, Case
from expectations import Expectations

SECONDS = 60
TCBS = ('current_tcb', 'reported_tcb', 'committed_tcb', 'launch_tcb')
OCTETS = ('family_id', 'image_id', 'report_data', 'measurement', 'host_data', 'id_key_digest', 'author_key_digest',
          'report_id', 'report_id_ma', 'chip_id')
# TCB_VERSION, SNP ABI 56860: which octet holds which SPL.
TCB_ORDER = {'Turin': {'fmc': 0, 'bootloader': 1, 'tee': 2, 'snp': 3, 'microcode': 7}}
TCB_ORDER_BEFORE = {'bootloader': 0, 'tee': 1, 'snp': 6, 'microcode': 7}

Fields = dict[str, object]


class Unread(Exception):
    """What the program said instead."""


def output(*command) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, timeout=SECONDS, check=False,
                          env=os.environ | {'RUST_BACKTRACE': '0'})
    if done.returncode != 0:
        raise Unread(' '.join(done.stderr.decode(errors='replace').split())[:300] or f'exit {done.returncode}')
    return done.stdout.decode()


def numbers(text: str, pattern: str) -> tuple[int, ...]:
    found = re.fullmatch(pattern, text)
    if not found:
        raise Unread(f'{text!r} is not {pattern}')
    return tuple(int(part) for part in found.groups())


def unescaped(text: str) -> bytes:
    """unescaped undoes protobuf's text form of octets: runs of valid UTF-8 stand as they are."""
    named = {'n': b'\n', 'r': b'\r', 't': b'\t', '"': b'"', '\\': b'\\'}

    def octets(part: str) -> bytes:
        if not part.startswith('\\'):
            return part.encode()
        if part[1] == 'x':
            return bytes.fromhex(part[2:])
        return chr(int(part[2:], 16)).encode() if part[1] in 'uU' else named[part[1]]

    parts = re.findall(r'\\x[0-9a-f]{2}|\\u[0-9a-f]{4}|\\U[0-9a-f]{8}|\\[nrt"\\]|[^\\]', text)
    assert ''.join(parts) == text, text
    return b''.join(octets(part) for part in parts)


class Readers:
    def __init__(self, ours: pathlib.Path, foreign: pathlib.Path):
        self.program, self.foreign = ours / 'attestbed', foreign

    def attestbed(self, case: Case) -> Fields:
        said = json.loads(output(self.program, 'show', case.directory / 'report.bin', '--json'))
        fields: Fields = {name: said[name] for name in ('version', 'guest_svn', 'vmpl') + OCTETS}
        fields['chip_id'] = said['chip_id']['value']
        fields['signature_algo'] = said['signature_algo']['value']
        fields['key_flags'] = said['key_flags']['value']
        fields |= {name: int(said[name]['value'], 16) for name in ('policy', 'platform_info')}
        fields |= {name: said[name]['value'] for name in TCBS}
        fields['cpuid'] = said.get('cpuid', {'value': '000000'})['value']
        fields |= {name: int(said.get(name, '0'), 16) for name in ('launch_mit_vector', 'current_mit_vector')}
        for name in ('current', 'committed'):
            fields[name] = numbers(said[f'{name}_firmware'], r'(\d+)\.(\d+) build (\d+)')
        return fields | {'signature': (said['signature_r'], said['signature_s'])}

    def show(self, case: Case) -> Fields:
        """show is go-sev-guest's: protobuf as text, which leaves out what is zero."""
        text = output(self.foreign / 'show', '-in', case.directory / 'report.bin', '-inform', 'bin')
        said = dict(re.findall(r'^  (\w+): +(.*)$', text, re.MULTILINE))

        def number(name: str) -> int:
            return int(said.get(name, '0'))

        fields: Fields = {name: number(name) for name in ('version', 'guest_svn', 'vmpl', 'signature_algo', 'policy',
                                                          'platform_info', 'launch_mit_vector', 'current_mit_vector')}
        fields |= {name: unescaped(said[name][1:-1]).hex() for name in OCTETS}
        fields |= {name: number(name).to_bytes(8, 'little').hex() for name in TCBS}
        fields['key_flags'] = number('signer_info')
        eax = number('cpuid1eax_fms')  # extended family and family, extended model and model, stepping
        family, model = (eax >> 20 & 0xFF) + (eax >> 8 & 0xF), eax >> 12 & 0xF0 | eax >> 4 & 0xF
        fields['cpuid'] = bytes([family, model, eax & 0xF]).hex()
        for name in ('current', 'committed'):
            fields[name] = tuple(number(f'{name}_{part}') for part in ('major', 'minor', 'build'))
        signature = unescaped(said['signature'][1:-1])
        return fields | {'signature': (signature[:COMPONENT_OCTETS].hex(),
                                       signature[COMPONENT_OCTETS:2 * COMPONENT_OCTETS].hex())}

    def display(self, case: Case) -> Fields:
        """display is snpguest's, whose TCB versions are named SPLs: encoded here as the product encodes them."""
        said = json.loads(output(self.foreign / 'snpguest', 'display', 'report', case.directory / 'report.bin',
                                 '--output', 'json'))
        fields: Fields = {name: said[name] for name in ('version', 'guest_svn', 'vmpl', 'policy')}
        fields |= {'signature_algo': said['sig_algo'], 'platform_info': said['plat_info'], 'key_flags': said['key_info']}
        fields |= {name: bytes(said[name]).hex() for name in OCTETS}
        order = TCB_ORDER.get(case.product, TCB_ORDER_BEFORE)
        for name in TCBS:
            octets = bytearray(8)
            for part, at in order.items():
                octets[at] = said[name][part]
            fields[name] = octets.hex()
        cpuid = (said[f'cpuid_{part}'] or 0 for part in ('fam_id', 'mod_id', 'step'))
        fields['cpuid'] = bytes(cpuid).hex()
        fields |= {name: said[name] or 0 for name in ('launch_mit_vector', 'current_mit_vector')}
        for name in ('current', 'committed'):
            fields[name] = tuple(said[name][part] for part in ('major', 'minor', 'build'))
        return fields | {'signature': tuple(bytes(said['signature'][part]).hex() for part in 'rs')}


def read(case: Case, readers: dict) -> dict[str, Fields | str]:
    """read is what each says of a case: fields, or why not."""
    said: dict[str, Fields | str] = {}
    for name, reader in readers.items():
        try:
            said[name] = reader(case)
        except (Unread, KeyError, ValueError) as why:
            said[name] = f'{type(why).__name__}: {why}'
    return said


def all_alike(cases: list[Case], ours: pathlib.Path, foreign: pathlib.Path, without: list[str],
              expectations: Expectations) -> tuple[str, list[str]]:
    """all_alike is a table, readers x reports read alike, and what failed."""
    at, failures = Readers(ours, foreign), []
    readers = {name: reader for name, reader in (('show', at.show), ('display', at.display))
               if expectations.readers[name]['of'] not in without}
    alike, excluded, fields = dict.fromkeys(readers, 0), dict.fromkeys(readers, 0), 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        answers = pool.map(lambda case: read(case, {'attestbed': at.attestbed} | readers), cases)
    for case, said in zip(cases, answers):
        wanted = said.pop('attestbed')
        fields = len(wanted) if isinstance(wanted, dict) else fields
        for name, found in said.items():
            exclusion = expectations.exclusion(name, case)
            if exclusion:
                excluded[name] += 1
                if isinstance(found, dict) or exclusion['message'] not in found:
                    failures.append(f'{name} is excluded from {case.name} for {exclusion["message"]!r}, but says {found}')
            elif found == wanted and isinstance(wanted, dict):
                alike[name] += 1
            elif isinstance(found, dict) and isinstance(wanted, dict):
                differ = [f'{field} {found[field]} / {wanted[field]}' for field in wanted if found[field] != wanted[field]]
                failures.append(f'{name} / attestbed show of {case.directory}: {", ".join(differ)}')
            else:
                failures.append(f'{name} / attestbed show of {case.directory}: {found} / {wanted}')
    rows = [f'{expectations.readers[name]["title"]:34} {alike[name]} of {len(cases) - excluded[name]} reports, '
            f'{fields} fields each' + (f'; {excluded[name]} not supported' if excluded[name] else '') for name in readers]
    return '\n'.join(rows), failures
