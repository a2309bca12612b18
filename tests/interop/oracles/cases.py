# SPDX-License-Identifier: Apache-2.0
"""A case: a report, the certificates that go with it, and what is known of it; on disk in every form that a tool wants."""
from __future__ import annotations

import base64
import dataclasses
import pathlib
import struct
import textwrap

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

REPORT_OCTETS = 0x4A0
SIGNED_OCTETS = 0x2A0
SIGNATURE_R, SIGNATURE_S, COMPONENT_OCTETS = 0x2A0, 0x2E8, 72

# ATTESTATION_REPORT, SNP ABI 56860: field, offset, octets.
FIELDS = {
    'VERSION': (0x000, 4), 'GUEST_SVN': (0x004, 4), 'POLICY': (0x008, 8), 'FAMILY_ID': (0x010, 16),
    'IMAGE_ID': (0x020, 16), 'VMPL': (0x030, 4), 'SIGNATURE_ALGO': (0x034, 4), 'CURRENT_TCB': (0x038, 8),
    'PLATFORM_INFO': (0x040, 8), 'KEY_FLAGS': (0x048, 4), 'RESERVED_04C': (0x04C, 4), 'REPORT_DATA': (0x050, 64),
    'MEASUREMENT': (0x090, 48), 'HOST_DATA': (0x0C0, 32), 'ID_KEY_DIGEST': (0x0E0, 48),
    'AUTHOR_KEY_DIGEST': (0x110, 48), 'REPORT_ID': (0x140, 32), 'REPORT_ID_MA': (0x160, 32),
    'REPORTED_TCB': (0x180, 8), 'CPUID': (0x188, 3), 'RESERVED_18B': (0x18B, 21), 'CHIP_ID': (0x1A0, 64),
    'COMMITTED_TCB': (0x1E0, 8), 'CURRENT_VERSION': (0x1E8, 3), 'RESERVED_1EB': (0x1EB, 1),
    'COMMITTED_VERSION': (0x1EC, 3), 'RESERVED_1EF': (0x1EF, 1), 'LAUNCH_TCB': (0x1F0, 8),
    'MIT_VECTORS': (0x1F8, 16), 'RESERVED_208': (0x208, 152),
}

# The certificate table of the extended guest request, GHCB 56421: GUIDs in RFC 4122 octet order.
TABLE_GUIDS = {
    'ark': 'c0b406a4-a803-4952-9743-3fb6014cd0ae', 'ask': '4ab7b379-bbac-4fe4-a02f-05aef327c782',
    'vcek': '63da758d-e664-4564-adc5-f4b93be8accd', 'vlek': 'a8074bc2-a25a-483e-aae6-39c045a0b8a1',
    'asvk': None,  # no GUID of its own that all tools know: go-sev-guest takes it from the bundle
}


@dataclasses.dataclass
class Case:
    """What a relying party holds, and where it came from. `mutation` is empty for a valid report."""
    name: str
    product: str
    version: int
    key: str                    # vcek or vlek
    report: bytes
    certificates: dict[str, bytes]   # DER: ark, ask or asvk, vcek or vlek
    policy: int
    masked_chip: bool = False
    signed: bool = True
    maker: str = 'snp-sim'
    mutation: str = ''
    origin: Case | None = None
    directory: pathlib.Path | None = None

    def changed(self, mutation: str, number: int, report: bytes | None = None, **certificates: bytes) -> Case:
        """changed is a copy with one thing changed."""
        return dataclasses.replace(self, name=f'{number:03}-{mutation}', mutation=mutation, origin=self,
                                   report=self.report if report is None else report,
                                   certificates=self.certificates | certificates)

    @property
    def intermediate(self) -> str:
        return 'asvk' if self.key == 'vlek' else 'ask'

    def attributes(self) -> dict[str, object]:
        """attributes are what exclusions and disagreements choose cases by."""
        return {'product': self.product, 'version': self.version, 'key': self.key, 'masked_chip': self.masked_chip,
                'signed': self.signed, 'maker': self.maker}

    def write(self, below: pathlib.Path) -> None:
        """write saves the case in a directory of its own, laid out as snpguest reads it."""
        self.directory = below / self.name
        self.directory.mkdir(parents=True, exist_ok=True)
        for name, octets in self._files().items():
            (self.directory / name).write_bytes(octets)

    def _files(self) -> dict[str, bytes]:
        held = self.certificates
        files = {f'{name}.der': der for name, der in held.items()}
        files['report.bin'] = self.report
        files['attestation.bin'] = self.report + certificate_table({self.key: held[self.key]})
        files['bundle.pem'] = pem(held[self.intermediate]) + pem(held['ark'])
        files['root.txt'] = pem(held['ark'])
        files['intermediate.txt'] = pem(held[self.intermediate])
        files['leaf.txt'] = pem(held[self.key])
        files['signed.bin'] = self.report[:SIGNED_OCTETS]
        files['signature.der'] = signature_der(self.report)
        return files


def case_of(name: str, product: str, key: str, report: bytes, certificates: dict[str, bytes],
            maker: str = 'snp-sim') -> Case:
    """case_of is a valid case; what is known of the report is read in it."""
    version, policy, flags = (int.from_bytes(field(report, part), 'little') for part in ('VERSION', 'POLICY', 'KEY_FLAGS'))
    return Case(name, product, version, key, report, certificates, policy, masked_chip=not any(field(report, 'CHIP_ID')),
                signed=flags >> 2 & 7 != 7, maker=maker)


def pem(der: bytes) -> bytes:
    lines = '\n'.join(textwrap.wrap(base64.b64encode(der).decode(), 64))
    return f'-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n'.encode()


def certificate_table(entries: dict[str, bytes]) -> bytes:
    """certificate_table is the blob of an extended guest request: GUID, offset, length; a zero entry; the octets."""
    head, body, offset = b'', b'', 24 * (len(entries) + 1)
    for name, der in entries.items():
        guid = bytes.fromhex(TABLE_GUIDS[name].replace('-', ''))
        head += guid + struct.pack('<II', offset + len(body), len(der))
        body += der
    return head + bytes(24) + body


def field(report: bytes, name: str) -> bytes:
    offset, octets = FIELDS[name]
    return report[offset:offset + octets]


def with_octets(report: bytes, offset: int, octets: bytes) -> bytes:
    return report[:offset] + octets + report[offset + len(octets):]


def with_field(report: bytes, name: str, octets: bytes) -> bytes:
    offset, size = FIELDS[name]
    assert len(octets) == size, name
    return with_octets(report, offset, octets)


def component(report: bytes, offset: int) -> int:
    return int.from_bytes(report[offset:offset + COMPONENT_OCTETS], 'little')


def with_signature(report: bytes, r: int, s: int) -> bytes:
    report = with_octets(report, SIGNATURE_R, r.to_bytes(COMPONENT_OCTETS, 'little'))
    return with_octets(report, SIGNATURE_S, s.to_bytes(COMPONENT_OCTETS, 'little'))


def signed_again(report: bytes, key: ec.EllipticCurvePrivateKey) -> bytes:
    """signed_again signs what a changed report now says: the change is then all that is wrong with it."""
    return with_signature(report, *decode_dss_signature(key.sign(report[:SIGNED_OCTETS], ec.ECDSA(hashes.SHA384()))))


def signature_der(report: bytes) -> bytes:
    """signature_der is ECDSA-Sig-Value of R and S, as `openssl dgst` reads it."""
    def integer(value: int) -> bytes:
        octets = value.to_bytes(value.bit_length() // 8 + 1, 'big')
        return b'\x02' + bytes([len(octets)]) + octets

    body = integer(component(report, SIGNATURE_R)) + integer(component(report, SIGNATURE_S))
    return b'\x30' + (bytes([len(body)]) if len(body) < 128 else b'\x81' + bytes([len(body)])) + body
