# SPDX-License-Identifier: Apache-2.0
"""Launch digests and ID blocks: attestbed and snp-sim beside sev-snp-measure, which has no root of trust and no verdict but
the octets. A row of the table is a kind of input, a failure an input on which the two differ."""
from __future__ import annotations

import base64
import pathlib
import random
import re
import subprocess
from collections.abc import Iterator

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from sevsnpmeasure.gctx import GCTX

from cases import FIELDS
from firmware_image import synthetic_ovmf

SECONDS = 60
OVMF = pathlib.Path('/usr/share/ovmf/OVMF.fd')
CPUS = ('EPYC-v4', 'EPYC-Rome', 'EPYC-Milan', 'EPYC-Genoa')


class Differs(Exception):
    """What the two said."""


class LaunchDigests:
    """Asks both. Each kind yields the names of inputs on which they agree, and raises Differs on the first where not."""

    def __init__(self, ours: pathlib.Path, foreign: pathlib.Path, below: pathlib.Path, seed: int):
        self.ours, self.foreign, self.below, self.random = ours, foreign, below, random.Random(seed)
        below.mkdir(parents=True, exist_ok=True)

    def kinds(self) -> dict:
        return {'page lists': self.page_lists, "Debian's OVMF": self.debian_ovmf, 'kernel hashes': self.kernel_hashes,
                'kernel refused': self.kernel_refused, 'ID blocks': self.id_blocks}

    def run(self, *command) -> subprocess.CompletedProcess:
        return subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=SECONDS, check=False)

    def file(self, name: str, octets: bytes) -> pathlib.Path:
        path = self.below / name
        path.write_bytes(octets)
        return path

    def compare(self, name: str, ours: list, theirs: list) -> str:
        """compare has both print a digest."""
        said = [self.run(self.ours / 'attestbed', 'measure', *ours), self.run(self.foreign / 'sev-snp-measure', *theirs)]
        digests = [done.stdout.strip() for done in said]
        if any(done.returncode for done in said) or digests[0] != digests[1]:
            raise Differs(f'{name}: {" / ".join((done.stdout + done.stderr).strip()[:300] for done in said)}')
        return name

    def page_lists(self) -> Iterator[str]:
        for number in range(24):
            context, lines, gpa = GCTX(), [], 0x1000
            for _ in range(self.random.randrange(1, 30)):
                kind, pages = self.random.choice(('normal', 'zero', 'unmeasured', 'secrets', 'cpuid')), 1
                if kind in ('normal', 'zero', 'unmeasured'):
                    pages = self.random.randrange(1, 5)
                options = f'pages={pages}' if pages > 1 else ''
                if kind == 'normal':
                    octets = self.random.randbytes(16)
                    context.update_normal_pages(gpa, octets * 256 * pages)
                    options += f' repeat={octets.hex()}'
                elif kind == 'zero':
                    context.update_zero_pages(gpa, 4096 * pages)
                elif kind == 'unmeasured':
                    context.update_unmeasured_pages(gpa, 4096 * pages)
                elif kind == 'secrets':
                    context.update_secrets_page(gpa)
                else:
                    context.update_cpuid_page(gpa)
                lines.append(f'{kind} {gpa:#x} {options}')
                gpa += 4096 * (pages + self.random.randrange(1 << 20))
            if self.random.getrandbits(1):
                vmsa = self.random.randbytes(4096)
                # The firmware counts TSC scale and offset as zero; sev-snp-measure takes the page as it is.
                vmsa = vmsa[:0x2F0] + bytes(16) + vmsa[0x300:]
                self.file(f'vmsa-{number}.bin', vmsa)
                context.update_vmsa_page(vmsa)
                lines.append(f'vmsa 0xfffffffff000 file=vmsa-{number}.bin')
            pages = self.file(f'pages-{number}.txt', ('\n'.join(lines) + '\n').encode())
            done = self.run(self.ours / 'attestbed', 'measure', '--pages', pages)
            if done.stdout.strip() != context.hex_ld():
                raise Differs(f'{pages}: {(done.stdout + done.stderr).strip()} / {context.hex_ld()}')
            yield pages.name

    def debian_ovmf(self) -> Iterator[str]:
        for vcpus, cpu, features, vmm in ((1, 'EPYC-v4', 1, 'QEMU'), (4, 'EPYC-Milan', 0x21, 'QEMU'),
                                          (2, 'EPYC-Genoa', 1, 'QEMU'), (2, 'EPYC-Milan', 1, 'ec2'),
                                          (1, 'EPYC-Rome', 0x21, 'gce')):
            launch = ['--ovmf', OVMF, '--vcpus', vcpus, '--vcpu-type', cpu, '--guest-features', hex(features),
                      '--vmm-type', vmm]
            yield self.compare(f'OVMF, {vcpus} x {cpu}, features {features:#x}, {vmm}', launch, ['--mode', 'snp', *launch])

    def kernel_hashes(self) -> Iterator[str]:
        for number in range(6):
            firmware = self.file(f'ovmf-{number}.fd', synthetic_ovmf(self.random, kernel_hashes=True))
            kernel = self.file(f'kernel-{number}', self.random.randbytes(self.random.randrange(1, 100_000)))
            initrd = self.file(f'initrd-{number}', self.random.randbytes(self.random.randrange(0, 50_000)))
            launch = ['--ovmf', firmware, '--vcpus', 1 + number, '--vcpu-type', self.random.choice(CPUS)]
            direct = [[], ['--kernel', kernel], ['--kernel', kernel, '--initrd', initrd],
                      ['--kernel', kernel, '--append', 'root=/dev/vda1 quiet'],
                      ['--kernel', kernel, '--initrd', initrd, '--append', 'console=ttyS0'],
                      ['--kernel', kernel, '--append', '']][number]
            yield self.compare(f'{firmware.name} with {len(direct) // 2} of kernel, initrd and command line',
                               [*launch, *direct], ['--mode', 'snp', *launch, *direct])

    def kernel_refused(self) -> Iterator[str]:
        kernel = self.file('kernel', self.random.randbytes(1000))
        for firmware in (OVMF, self.file('ovmf-without.fd', synthetic_ovmf(self.random, kernel_hashes=False))):
            launch = ['--ovmf', firmware, '--vcpus', 1, '--vcpu-type', 'EPYC-v4', '--kernel', kernel]
            ours = self.run(self.ours / 'attestbed', 'measure', *launch)
            theirs = self.run(self.foreign / 'sev-snp-measure', '--mode', 'snp', *launch)
            if ours.returncode != 2 or theirs.returncode == 0:
                raise Differs(f'{firmware} with a kernel: exit {ours.returncode} / {theirs.returncode}, 2 and another '
                              'than 0 are wanted')
            yield str(firmware)

    def id_blocks(self) -> Iterator[str]:
        measurement = bytes.fromhex(self.run(self.ours / 'snp-sim', 'measurement').stdout.strip())
        for number in range(4):
            keys = [ec.generate_private_key(ec.SECP384R1()) for _ in range(2)]
            paths = [self.file(f'{name}-{number}.pem', key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
                for name, key in zip(('id', 'author'), keys)]
            theirs = self._their_block(measurement, *paths)
            self._launches(number, 'theirs', *theirs)
            block, authentication = (self.below / f'our-{name}-{number}.bin' for name in ('block', 'auth'))
            done = self.run(self.ours / 'snp-sim', 'id-block', '--measurement', measurement.hex(), '--id-key', paths[0],
                            '--author-key', paths[1], '--out-block', block, '--out-auth', authentication)
            if done.returncode or block.read_bytes() != theirs[0]:
                raise Differs(f'ID block of {paths[0]}: {done.stderr.strip()}: {block} is not the block of theirs')
            self._same_but_signatures(number, authentication.read_bytes(), theirs[1], block.read_bytes(), keys)
            self._launches(number, 'ours', block.read_bytes(), authentication.read_bytes(), *theirs[2:])
            yield f'{block.name}, {authentication.name}'

    def _their_block(self, measurement: bytes, id_key: pathlib.Path, author_key: pathlib.Path) -> tuple:
        """_their_block is block, authentication, and the two key digests, as snp-create-id-block prints them."""
        done = self.run(self.foreign / 'snp-create-id-block', '--measurement', base64.b64encode(measurement).decode(),
                        '--idkey', id_key, '--authorkey', author_key)
        found = re.fullmatch(r'id-block=(\S+),id-auth=(\S+)\nid_key_hash: (\S+)\nauthor_key: (\S+)\n', done.stdout)
        if not found:
            raise RuntimeError(f'snp-create-id-block: {done.stderr.strip()}')
        return tuple(base64.b64decode(part) for part in found.groups())

    def _launches(self, number: int, whose: str, block: bytes, authentication: bytes, *digests: bytes) -> None:
        """_launches has snp-sim launch a guest with it, whose report then shows the digests that the other tool printed."""
        report = self.below / f'report-{whose}-{number}.bin'
        done = self.run(self.ours / 'snp-sim', 'report', '--out', report, '--author-key-enabled',
                        '--id-block', self.file(f'{whose}-block-{number}.bin', block),
                        '--id-auth', self.file(f'{whose}-auth-{number}.bin', authentication))
        if done.returncode:
            raise Differs(f'launch with the ID block of {whose}: {done.stderr.strip()}')
        shown = report.read_bytes()
        for name, digest in zip(('ID_KEY_DIGEST', 'AUTHOR_KEY_DIGEST'), digests):
            offset, octets = FIELDS[name]
            if shown[offset:offset + octets] != digest:
                raise Differs(f'{report} {name}: {shown[offset:offset + octets].hex()} / {digest.hex()}')

    @staticmethod
    def _same_but_signatures(number: int, ours: bytes, theirs: bytes, block: bytes, keys: list) -> None:
        """ECDSA is not repeatable: what is signed is compared, and our signatures verified."""
        signatures = ((0x040, 0x240, keys[0], block), (0x680, 0x880, keys[1], ours[0x240:0x644]))
        masked = [bytearray(ours), bytearray(theirs)]
        for begin, end, key, signed in signatures:
            r, s = (int.from_bytes(ours[at:at + 72], 'little') for at in (begin, begin + 72))
            key.public_key().verify(encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA384()))
            for octets in masked:
                octets[begin:end] = bytes(end - begin)
        if masked[0] != masked[1]:
            raise Differs(f'ID authentication {number}: the octets beside the signatures are not those of theirs')


def agreement(ours: pathlib.Path, foreign: pathlib.Path, below: pathlib.Path, seed: int) -> tuple[str, list[str]]:
    """agreement is a table, kinds x agreed inputs, and what failed."""
    rows, failures = [], []
    asked = LaunchDigests(ours, foreign, below, seed)
    for kind, inputs in asked.kinds().items():
        agreed = 0
        try:
            for _ in inputs():
                agreed += 1
            rows.append(f'{kind:16} {agreed:3} agree')
        except (Differs, InvalidSignature) as why:
            rows.append(f'{kind:16} {agreed:3} agree, then they differ')
            failures.append(f'sev-snp-measure: {why}')
    return '\n'.join(rows), failures
