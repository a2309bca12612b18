# SPDX-License-Identifier: Apache-2.0
"""Single mutations of valid cases. Each breaks one thing; a report that says something else and is signed again by its
own key shows who looks at what it says."""
from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from cases import (COMPONENT_OCTETS, FIELDS, SIGNATURE_R, SIGNATURE_S, Case, component, field, signed_again, with_field,
                   with_octets, with_signature)
from certificate_mutations import CERTIFICATE_MUTATIONS, CHIP_MUTATIONS, HIGH_LEVEL_MUTATIONS
from feed import Authority

ORDER_P384 = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973


def number(report: bytes, name: str) -> int:
    return int.from_bytes(field(report, name), 'little')


def with_number(report: bytes, name: str, value: int) -> bytes:
    return with_field(report, name, value.to_bytes(FIELDS[name][1], 'little'))


def flipped(name: str):
    """One bit of a field, at random."""
    def mutate(case: Case, _: Authority, chosen: random.Random):
        offset, octets = FIELDS[name]
        at = offset + chosen.randrange(octets)
        return {'report': with_octets(case.report, at, bytes([case.report[at] ^ 1 << chosen.randrange(8)]))}
    return mutate


def signature(change):
    def mutate(case: Case, _: Authority, chosen: random.Random):
        r, s = component(case.report, SIGNATURE_R), component(case.report, SIGNATURE_S)
        return {'report': with_signature(case.report, *change(r, s, chosen))}
    return mutate


def octets_after_signature(offset: int):
    """The signature block has room for larger curves: it must be zero."""
    def mutate(case: Case, _: Authority, chosen: random.Random):
        return {'report': with_octets(case.report, offset, bytes([chosen.randrange(1, 256)]))}
    return mutate


def big_endian(case: Case, _: Authority, __: random.Random):
    report = case.report
    for offset in (SIGNATURE_R, SIGNATURE_S):
        report = with_octets(report, offset, report[offset:offset + 48][::-1])
    return {'report': report}


def resigned(change):
    """resigned makes a mutation: what the report says, changed, and signed again by its own key."""
    def mutate(case: Case, authority: Authority, chosen: random.Random):
        return {'report': signed_again(change(case.report, chosen), authority.private_key(case.key))}
    return mutate


def set_bits(name: str, bits: int):
    return resigned(lambda report, _: with_number(report, name, number(report, name) | bits))


def cleared_bits(name: str, bits: int):
    return resigned(lambda report, _: with_number(report, name, number(report, name) & ~bits))


def set_to(name: str, value: int):
    return resigned(lambda report, _: with_number(report, name, value))


def tcb_below(octet: int):
    """REPORTED_TCB with one SPL other than the certificate's; still below COMMITTED_TCB where it can be."""
    def change(report: bytes, _):
        tcb = bytearray(field(report, 'REPORTED_TCB'))
        tcb[octet] = tcb[octet] - 1 if tcb[octet] else 1
        return with_field(report, 'REPORTED_TCB', bytes(tcb))
    return resigned(change)


def any_octet_set(name: str):
    def change(report: bytes, chosen: random.Random):
        offset, octets = FIELDS[name]
        return with_octets(report, offset + chosen.randrange(octets), bytes([chosen.randrange(1, 256)]))
    return resigned(change)


def abi_above(report: bytes, _):
    """POLICY asks for the minor after the one that runs."""
    _, minor, major = field(report, 'CURRENT_VERSION')
    return with_number(report, 'POLICY', number(report, 'POLICY') & ~0xFFFF | major << 8 | minor + 1)


def smt_though_forbidden(report: bytes, _):
    report = with_number(report, 'POLICY', number(report, 'POLICY') & ~(1 << 16))
    return with_number(report, 'PLATFORM_INFO', number(report, 'PLATFORM_INFO') | 1)


def author_key_unsaid(report: bytes, chosen: random.Random):
    report = with_number(report, 'KEY_FLAGS', number(report, 'KEY_FLAGS') & ~1)
    return with_field(report, 'AUTHOR_KEY_DIGEST', chosen.randbytes(48))


def committed_tcb_above(report: bytes, _):
    """One microcode more is committed than runs; what is reported stays below both."""
    tcb = bytearray(field(report, 'CURRENT_TCB'))
    tcb[7] += 1
    return with_field(report, 'COMMITTED_TCB', bytes(tcb))


def committed_version_above(part: int):
    """A later build, minor or major is committed than runs."""
    def change(report: bytes, _):
        version = bytearray(field(report, 'CURRENT_VERSION'))
        version[part] += 1
        return with_field(report, 'COMMITTED_VERSION', bytes(version))
    return resigned(change)


def chip_changed(report: bytes, chosen: random.Random):
    return with_octets(report, FIELDS['CHIP_ID'][0], bytes([report[FIELDS['CHIP_ID'][0]] ^ 1 << chosen.randrange(8)]))


def signing_key(kind: int):
    def change(report: bytes, _):
        flags = number(report, 'KEY_FLAGS') & ~0x1C | kind << 2
        return with_number(report, 'KEY_FLAGS', flags)
    return resigned(change)


def other_signing_key(report: bytes, _):
    flags = number(report, 'KEY_FLAGS')
    return with_number(report, 'KEY_FLAGS', flags ^ 1 << 2)


def flipped_tcb(used: bool):
    """One bit of a TCB_VERSION: of an SPL, or of an octet that no SPL is in."""
    def mutate(case: Case, _: Authority, chosen: random.Random):
        spls = (0, 1, 2, 3, 7) if case.product == 'Turin' else (0, 1, 6, 7)
        name = chosen.choice([name for name in FIELDS if name.endswith('_TCB')])
        at = FIELDS[name][0] + chosen.choice([octet for octet in range(8) if (octet in spls) == used])
        return {'report': with_octets(case.report, at, bytes([case.report[at] ^ 1 << chosen.randrange(8)]))}
    return mutate


def flipped_stepping(low: int, high: int):
    """One bit of CPUID_STEP, of which CPUID has four."""
    def mutate(case: Case, _: Authority, chosen: random.Random):
        at = FIELDS['CPUID'][0] + 2
        return {'report': with_octets(case.report, at, bytes([case.report[at] ^ 1 << chosen.randrange(low, high)]))}
    return mutate


def flipped_family_or_model(case: Case, _: Authority, chosen: random.Random):
    at = FIELDS['CPUID'][0] + chosen.randrange(2)
    return {'report': with_octets(case.report, at, bytes([case.report[at] ^ 1 << chosen.randrange(8)]))}


NOT_WHOLE = ('CPUID',) + tuple(name for name in FIELDS if name.endswith('_TCB'))
SIGNED_AREA = {f'bit-{name.lower().replace("_", "-")}': flipped(name) for name in FIELDS if name not in NOT_WHOLE}
SIGNED_AREA |= {'bit-tcb': flipped_tcb(True), 'bit-tcb-reserved': flipped_tcb(False)}

SIGNATURE = {
    'signature-r-bit': signature(lambda r, s, chosen: (r ^ 1 << chosen.randrange(384), s)),
    'signature-s-bit': signature(lambda r, s, chosen: (r, s ^ 1 << chosen.randrange(384))),
    'signature-r-zero': signature(lambda r, s, _: (0, s)), 'signature-s-zero': signature(lambda r, s, _: (r, 0)),
    'signature-zero': signature(lambda *_: (0, 0)), 'signature-swapped': signature(lambda r, s, _: (s, r)),
    'signature-r-order': signature(lambda r, s, _: (r + ORDER_P384, s)),
    'signature-s-order': signature(lambda r, s, _: (r, s + ORDER_P384)),
    'signature-big-endian': big_endian,
    'signature-r-tail': octets_after_signature(SIGNATURE_R + COMPONENT_OCTETS - 1),
    'signature-s-tail': octets_after_signature(SIGNATURE_S + COMPONENT_OCTETS - 1),
    'signature-reserved': octets_after_signature(SIGNATURE_S + COMPONENT_OCTETS),
    'signature-reserved-last': octets_after_signature(0x49F),
}

RESIGNED = {
    'resigned-version-0': set_to('VERSION', 0), 'resigned-version-1': set_to('VERSION', 1),
    'resigned-algorithm-0': set_to('SIGNATURE_ALGO', 0), 'resigned-algorithm-2': set_to('SIGNATURE_ALGO', 2),
    'resigned-policy-bit-17': cleared_bits('POLICY', 1 << 17), 'resigned-policy-bit-26': set_bits('POLICY', 1 << 26),
    'resigned-policy-bit-63': set_bits('POLICY', 1 << 63),
    'resigned-vmpl-4': set_to('VMPL', 4),
    'resigned-key-flags-5': set_bits('KEY_FLAGS', 1 << 5), 'resigned-key-flags-31': set_bits('KEY_FLAGS', 1 << 31),
    'resigned-signing-key-2': signing_key(2), 'resigned-signing-key-none': signing_key(7),
    'resigned-signing-key-other': resigned(other_signing_key),
    'resigned-reserved-04c': any_octet_set('RESERVED_04C'), 'resigned-reserved-18b': any_octet_set('RESERVED_18B'),
    'resigned-reserved-1eb': any_octet_set('RESERVED_1EB'), 'resigned-reserved-1ef': any_octet_set('RESERVED_1EF'),
    'resigned-reserved-208': any_octet_set('RESERVED_208'),
    'resigned-tcb-microcode': tcb_below(7),
    'resigned-committed-tcb': resigned(committed_tcb_above),
    'resigned-committed-build': committed_version_above(0), 'resigned-committed-minor': committed_version_above(1),
    'resigned-committed-major': committed_version_above(2),
    'resigned-abi-above': resigned(abi_above), 'resigned-smt-forbidden': resigned(smt_though_forbidden),
    'resigned-author-key-unsaid': resigned(author_key_unsaid),
}
BEFORE_V5 = {'resigned-mit-vectors-early': set_to('MIT_VECTORS', 1 << 64 | 1),
             'resigned-policy-bit-25-early': set_bits('POLICY', 1 << 25)}
WITH_VCEK = {'resigned-chip-key-masked': set_bits('KEY_FLAGS', 1 << 1)}
# Where there is one, a product with the same order of TCB octets.
OTHER_PRODUCT = {'Milan': b'\x19\x11\x01', 'Genoa': b'\x19\x01\x01', 'Turin': b'\x19\x01\x01'}


def cpuid_of_another_product(case: Case, authority: Authority, _: random.Random):
    report = with_field(case.report, 'CPUID', OTHER_PRODUCT[case.product])
    return {'report': signed_again(report, authority.private_key(case.key))}


FROM_V3 = {'resigned-version-6': set_to('VERSION', 6), 'resigned-cpuid-other': cpuid_of_another_product,
           'bit-cpuid-family': flipped_family_or_model, 'bit-cpuid-stepping': flipped_stepping(0, 4),
           'bit-cpuid-stepping-high': flipped_stepping(4, 8)}
ONLY_V2 = {'resigned-cpuid-early': set_to('CPUID', 0x010119), 'bit-cpuid-early': flipped('CPUID')}
MILAN_GENOA = {'resigned-tcb-boot-loader': tcb_below(0), 'resigned-tcb-tee': tcb_below(1),
               'resigned-tcb-snp': tcb_below(6), 'resigned-tcb-reserved': set_bits('REPORTED_TCB', 1 << 24)}
TURIN = {'resigned-tcb-fmc': tcb_below(0), 'resigned-tcb-boot-loader': tcb_below(1), 'resigned-tcb-tee': tcb_below(2),
         'resigned-tcb-snp': tcb_below(3), 'resigned-tcb-reserved': set_bits('REPORTED_TCB', 1 << 40)}
CHIP_NAMED = {'resigned-chip-id': resigned(chip_changed)} | CHIP_MUTATIONS


def foreign_certificates(case: Case, others: list[Case], chosen: random.Random) -> dict[str, dict]:
    """foreign_certificates swaps in what belongs to another valid case of the same key kind."""
    same = [o for o in others if o.key == case.key and o.product == case.product and
            o.certificates['ark'] != case.certificates['ark']]
    strange = [o for o in others if o.key == case.key and o.product != case.product]
    swaps = {}
    if same:
        other = chosen.choice(same).certificates
        swaps |= {'swapped-root': {'ark': other['ark']}, 'swapped-vek': {case.key: other[case.key]},
                  'swapped-intermediate': {case.intermediate: other[case.intermediate]},
                  'swapped-vek-and-intermediate': {case.key: other[case.key],
                                                   case.intermediate: other[case.intermediate]}}
    if strange:
        other = chosen.choice(strange).certificates
        swaps |= {'swapped-product-vek': {case.key: other[case.key]},
                  'swapped-product-chain': {name: other[name] for name in ('ark', case.intermediate, case.key)}}
    return swaps


def applicable(case: Case) -> dict:
    """applicable are the mutations that break something in this case."""
    found = SIGNED_AREA | SIGNATURE | RESIGNED | CERTIFICATE_MUTATIONS
    found |= TURIN if case.product == 'Turin' else MILAN_GENOA
    found |= (FROM_V3 if case.version > 2 else ONLY_V2) | (BEFORE_V5 if case.version < 5 else {})
    if field(case.report, 'REPORTED_TCB')[7] >= 0x80:
        found |= HIGH_LEVEL_MUTATIONS
    if case.key == 'vcek':
        found |= WITH_VCEK
    if case.key == 'vcek' and not case.masked_chip:
        found |= CHIP_NAMED
    return found


def mutations(cases: list[tuple[Case, Authority]], least: int, seed: int,
              supporters: Callable[[Case], int]) -> Iterator[Case]:
    """mutations yields every kind at least once, and goes round until there are `least`; each of a case of its turn, in the
    first round of one that the most oracles support: whoever accepts a kind has then been asked."""
    chosen = random.Random(seed)
    chosen.shuffle(cases)
    valid = [case for case, _ in cases]
    made, turn, names = 0, 0, sorted(set().union(*(applicable(case) for case in valid)))
    names += sorted(set().union(*(foreign_certificates(case, valid, chosen) for case in valid)))
    while made < least:
        for name in names:
            fits = _fitting(name, cases, turn, valid, chosen)
            # max() takes the first of equals, so turns are kept.
            case, authority = max(fits, key=lambda one: supporters(one[0])) if made < len(names) else next(fits)
            turn += 1
            changes = (foreign_certificates(case, valid, chosen)[name] if name.startswith('swapped-')
                       else applicable(case)[name](case, authority, chosen))
            yield case.changed(name, made, **changes)
            made += 1


def _fitting(name: str, cases: list[tuple[Case, Authority]], turn: int, valid: list[Case],
             chosen: random.Random) -> Iterator[tuple[Case, Authority]]:
    """_fitting are the cases in which this mutation breaks something, beginning with whose turn it is."""
    for step in range(len(cases)):
        case, authority = cases[(turn + step) % len(cases)]
        if name in (foreign_certificates(case, valid, chosen) if name.startswith('swapped-') else applicable(case)):
            yield case, authority
