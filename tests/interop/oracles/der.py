# SPDX-License-Identifier: Apache-2.0
"""As much DER as it takes to change one thing in a certificate and sign it again."""
from __future__ import annotations

import dataclasses

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

SEQUENCE, SET, INTEGER, BIT_STRING, OCTET_STRING, OID, BOOLEAN = 0x30, 0x31, 0x02, 0x03, 0x04, 0x06, 0x01
UTC_TIME, EXTENSIONS = 0x17, 0xA3

AMD_ARC = bytes.fromhex('2b060104019c7801')  # 1.3.6.1.4.1.3704.1


def element(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, 'big')
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def split(octets: bytes) -> list[tuple[int, bytes, bytes]]:
    """split lists the elements of a constructed one's content: tag, content, whole."""
    found, at = [], 0
    while at < len(octets):
        head, size = 2, octets[at + 1]
        if size & 0x80:
            head += size & 0x7F
            size = int.from_bytes(octets[at + 2:at + head], 'big')
        found.append((octets[at], octets[at + head:at + head + size], octets[at:at + head + size]))
        at += head + size
    return found


def content(octets: bytes) -> bytes:
    return split(octets)[0][1]


@dataclasses.dataclass
class Extension:
    oid: bytes
    value: bytes
    critical: bool = False

    def encoded(self) -> bytes:
        flag = element(BOOLEAN, b'\xff') if self.critical else b''
        return element(SEQUENCE, element(OID, self.oid) + flag + element(OCTET_STRING, self.value))


class Certificate:
    """The parts of a TBSCertificate, each encoded, to be changed; `signed` makes a certificate of them."""

    PARTS = ('version', 'serial', 'algorithm', 'issuer', 'validity', 'subject', 'public_key')

    def __init__(self, der: bytes):
        to_be_signed, *_ = split(content(der))
        parts = split(to_be_signed[1])
        for name, (_, _, whole) in zip(self.PARTS, parts):
            setattr(self, name, whole)
        self.extensions = [self._extension(inner) for _, inner, _ in split(content(parts[7][1]))]

    @staticmethod
    def _extension(inner: bytes) -> Extension:
        parts = split(inner)
        return Extension(parts[0][1], parts[-1][1], len(parts) == 3)

    def amd(self, *suffix: int) -> Extension:
        return next(e for e in self.extensions if e.oid == AMD_ARC + bytes(suffix))

    def signed(self, key: rsa.RSAPrivateKey, pss_salt: int | None = 48, digest=hashes.SHA384()) -> bytes:
        """signed encodes and signs; without a salt by PKCS #1 v1.5. The algorithm fields are left to the caller."""
        extensions = element(SEQUENCE, b''.join(e.encoded() for e in self.extensions))
        parts = [getattr(self, name) for name in self.PARTS] + [element(EXTENSIONS, extensions)]
        body = element(SEQUENCE, b''.join(parts))
        how = padding.PKCS1v15() if pss_salt is None else padding.PSS(padding.MGF1(digest), pss_salt)
        return element(SEQUENCE, body + self.algorithm + element(BIT_STRING, b'\0' + key.sign(body, how, digest)))


def pss_algorithm(hash_oid: bytes, salt: int) -> bytes:
    """pss_algorithm is an RSASSA-PSS AlgorithmIdentifier with MGF1 of the same hash."""
    digest = element(SEQUENCE, element(OID, hash_oid) + b'\x05\x00')
    generator = element(SEQUENCE, element(OID, bytes.fromhex('2a864886f70d010108')) + digest)
    parameters = (element(0xA0, digest) + element(0xA1, generator) + element(0xA2, element(INTEGER, bytes([salt]))))
    return element(SEQUENCE, element(OID, bytes.fromhex('2a864886f70d01010a')) + element(SEQUENCE, parameters))


SHA256_OID = bytes.fromhex('608648016503040201')
SHA384_OID = bytes.fromhex('608648016503040202')
PKCS1_SHA384 = element(SEQUENCE, element(OID, bytes.fromhex('2a864886f70d01010c')) + b'\x05\x00')
