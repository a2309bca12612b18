# SPDX-License-Identifier: Apache-2.0
"""Certificates with one thing wrong. Where a signature would give it away, the certificate is signed again by who would
have signed it, so that only who looks at that one thing notices."""
from __future__ import annotations

import random

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.hazmat.primitives import hashes

import der
from cases import Case, signed_again
from feed import Authority

VALIDITY_PAST = ('200101000000Z', '210101000000Z')
VALIDITY_FUTURE = ('450101000000Z', '490101000000Z')
# An extension of nobody, in AMD's arc.
UNKNOWN = der.AMD_ARC + b'\x63'


def validity(times: tuple[str, str]) -> bytes:
    return der.element(der.SEQUENCE, b''.join(der.element(der.UTC_TIME, time.encode()) for time in times))


def issued(change):
    """issued makes a mutation: the VEK, changed, signed again by its issuer."""
    def mutate(case: Case, authority: Authority, _: random.Random):
        certificate = der.Certificate(case.certificates[case.key])
        how = change(certificate, case) or {}
        return {case.key: certificate.signed(authority.private_key(case.intermediate), **how)}
    return mutate


def intermediate(change):
    """intermediate makes a mutation: the ASK or ASVK, changed, signed again by the ARK."""
    def mutate(case: Case, authority: Authority, _: random.Random):
        certificate = der.Certificate(case.certificates[case.intermediate])
        change(certificate, case)
        return {case.intermediate: certificate.signed(authority.private_key('ark'))}
    return mutate


def set_validity(times):
    def change(certificate, _):
        certificate.validity = validity(times)
    return change


def microcode_spl(head: bytes):
    """The microcode's SPL with its last octet as it is, and other octets before it."""
    def change(certificate, _):
        extension = certificate.amd(3, 8)
        extension.value = head + extension.value[-1:]
    return change


def another_spl(certificate, _):
    """The microcode's SPL, one more than the report's."""
    extension = certificate.amd(3, 8)
    value = int.from_bytes(der.content(extension.value), 'big') + 1
    extension.value = der.element(der.INTEGER, value.to_bytes(value.bit_length() // 8 + 1, 'big'))


def without(*suffix: int):
    def change(certificate, _):
        certificate.extensions.remove(certificate.amd(*suffix))
    return change


def twice(*suffix: int):
    def change(certificate, _):
        certificate.extensions.append(certificate.amd(*suffix))
    return change


def unknown_extension(critical: bool):
    def change(certificate, _):
        certificate.extensions.append(der.Extension(UNKNOWN, b'\x05\x00', critical))
    return change


def another_chip(certificate, _):
    extension = certificate.amd(4)
    extension.value = bytes([extension.value[0] ^ 1]) + extension.value[1:]


def renamed(old: bytes, new: bytes, part: str = 'subject'):
    def change(certificate, _):
        whole = getattr(certificate, part)
        assert whole.count(old) == 1 and len(old) == len(new), (old, whole)
        setattr(certificate, part, whole.replace(old, new))
    return change


def pkcs1(certificate, _):
    certificate.algorithm = der.PKCS1_SHA384
    return {'pss_salt': None}


def salt_32(certificate, _):
    certificate.algorithm = der.pss_algorithm(der.SHA384_OID, 32)
    return {'pss_salt': 32}


def sha256(certificate, _):
    certificate.algorithm = der.pss_algorithm(der.SHA256_OID, 48)
    return {'digest': hashes.SHA256()}


def not_a_ca(certificate, _):
    certificate.extensions = [e for e in certificate.extensions if e.oid != bytes.fromhex('551d13')]


def flipped_bit(part: int):
    """flipped_bit changes one bit of the VEK: 0 in what is signed, 2 in the signature."""
    def mutate(case: Case, _: Authority, chosen: random.Random):
        octets = case.certificates[case.key]
        parts = der.split(der.content(octets))
        whole = parts[part][2]
        start = octets.rindex(whole) if part == 2 else octets.index(whole)
        head = 8 if part == 0 else 5  # tags and lengths stay: the parser is the fuzzers' business
        at = start + chosen.randrange(head, len(whole))
        return {case.key: octets[:at] + bytes([octets[at] ^ 1 << chosen.randrange(8)]) + octets[at + 1:]}
    return mutate


def trailing_octet(case: Case, _: Authority, __: random.Random):
    return {case.key: case.certificates[case.key] + b'\0'}


def truncated(case: Case, _: Authority, __: random.Random):
    return {case.key: case.certificates[case.key][:-1]}


def another_key(case: Case, authority: Authority, _: random.Random):
    """A VEK of the same chip and authority with a fresh key: it did not sign this report."""
    certificate = der.Certificate(case.certificates[case.key])
    fresh = ec.generate_private_key(ec.SECP384R1()).public_key()
    certificate.public_key = fresh.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return {case.key: certificate.signed(authority.private_key(case.intermediate))}


def by_the_ark(case: Case, authority: Authority, _: random.Random):
    """The VEK signed with the ARK's key: an issuer's name that its signature does not bear out."""
    return {case.key: der.Certificate(case.certificates[case.key]).signed(authority.private_key('ark'))}


def of_curve_p256(case: Case, authority: Authority, _: random.Random):
    """A VEK of curve P-256 that signed the report."""
    fresh = ec.generate_private_key(ec.SECP256R1())
    certificate = der.Certificate(case.certificates[case.key])
    certificate.public_key = fresh.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return {case.key: certificate.signed(authority.private_key(case.intermediate)),
            'report': signed_again(case.report, fresh)}


CERTIFICATE_MUTATIONS = {
    'vek-bit': flipped_bit(0), 'vek-signature-bit': flipped_bit(2), 'vek-trailing-octet': trailing_octet,
    'vek-truncated': truncated, 'vek-another-key': another_key, 'vek-by-the-ark': by_the_ark,
    'vek-p256': of_curve_p256,
    'vek-expired': issued(set_validity(VALIDITY_PAST)), 'vek-not-yet': issued(set_validity(VALIDITY_FUTURE)),
    'ask-expired': intermediate(set_validity(VALIDITY_PAST)),
    'ask-not-yet': intermediate(set_validity(VALIDITY_FUTURE)), 'ask-not-a-ca': intermediate(not_a_ca),
    'vek-pkcs1': issued(pkcs1), 'vek-salt-32': issued(salt_32), 'vek-sha256': issued(sha256),
    'vek-spl-other': issued(another_spl), 'vek-spl-missing': issued(without(3, 3)),
    'vek-spl-twice': issued(twice(3, 3)), 'vek-spl-wide': issued(microcode_spl(b'\x02\x02\x01')),
    'vek-product-missing': issued(without(2)), 'vek-extension-unknown': issued(unknown_extension(False)),
    'vek-extension-critical': issued(unknown_extension(True)),
    'vek-common-name': issued(renamed(b'SEV-V', b'SEV-W')),
    'vek-organization': issued(renamed(b'Advanced Micro Devices', b'Advanced Micro Desires')),
    'vek-issuer-name': issued(renamed(b'Santa Clara', b'Santa Maria', 'issuer')),
}
# Where the microcode's SPL is 128 or more: as an INTEGER of one octet it is negative.
HIGH_LEVEL_MUTATIONS = {'vek-spl-negative': issued(microcode_spl(b'\x02\x01'))}
# Of VCEKs whose report names the chip.
CHIP_MUTATIONS = {'vek-chip-other': issued(another_chip), 'vek-chip-missing': issued(without(4))}
