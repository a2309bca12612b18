# SPDX-License-Identifier: Apache-2.0
"""Makes the certificate authorities and the valid reports, with snp-sim, from a seed."""
from __future__ import annotations

import dataclasses
import json
import pathlib
import random
import subprocess

from cryptography.hazmat.primitives import serialization

from cases import Case, case_of, field

COMMAND_SECONDS = 400  # a new authority searches for RSA primes


@dataclasses.dataclass
class Authority:
    """What snp-sim saved of one line of certificates, and its private keys, with which mutations are signed again."""
    directory: pathlib.Path
    certificates: dict[str, bytes]

    @classmethod
    def read(cls, directory: pathlib.Path) -> Authority:
        names = [name for name in ('ark', 'ask', 'asvk', 'vcek', 'vlek') if (directory / f'{name}.der').exists()]
        return cls(directory, {name: (directory / f'{name}.der').read_bytes() for name in names})

    def private_key(self, name: str):
        path = self.directory / f'{name}.key'
        if not path.exists():  # the ARK's key is beside the VCEK line
            path = self.directory.parent / f'{name}.key'
        return serialization.load_pem_private_key(path.read_bytes(), password=None)


class Feed:
    """Runs snp-sim; a run of it that fails ends everything with what it said."""

    def __init__(self, snp_sim: pathlib.Path, below: pathlib.Path, seed: int):
        self.snp_sim, self.below, self.random = snp_sim, below, random.Random(seed)
        self.below.mkdir(parents=True, exist_ok=True)

    def run(self, *arguments: str) -> None:
        done = subprocess.run([self.snp_sim, *arguments], capture_output=True, text=True, timeout=COMMAND_SECONDS,
                              check=False)
        if done.returncode != 0:
            raise RuntimeError(f'snp-sim {" ".join(arguments)}: exit {done.returncode}: {done.stderr.strip()}')

    def many(self, count: int) -> list[tuple[Case, Authority]]:
        """many are reports of random guests on random machines, of the public test authorities: all products, versions
        and keys."""
        below = self.below / 'many'
        self.run('reports', '--out', str(below), '--count', str(count), '--seed', str(self.random.getrandbits(31)))
        made = []
        for line in (below / 'index.jsonl').read_text().splitlines():
            said = json.loads(line)
            authority = Authority.read(below / said['certs'])
            report = (below / said['report']).read_bytes()
            made.append((self._case(len(made), said['product'], said['key'], report, authority), authority))
        return made

    def authority(self, product: str) -> Authority:
        """authority is one with a root of its own. It takes a while: RSA primes are rare."""
        directory = self.below / f'other-{product.lower()}'
        self.run('certs', '--out', str(directory), '--product', product, '--seed', str(self.random.randrange(2, 2**31)))
        return Authority.read(directory)

    def report(self, authority: Authority, product: str, number: int, version: int, key: str,
               *options: str) -> tuple[Case, Authority]:
        """report has snp-sim launch a guest of its own and report on it."""
        path, ca = self.below / f'{number}.bin', authority.directory
        self.run('report', '--out', str(path), '--ca', str(ca), '--version', str(version), '--key', key,
                 '--seed', str(self.random.getrandbits(31)), '--report-data', self.random.randbytes(64).hex(),
                 '--host-data', self.random.randbytes(32).hex(), '--image', f'guest-{number}', *options)
        line = Authority.read(ca / 'vlek') if key == 'vlek' else authority
        return self._case(number, product, key, path.read_bytes(), line), line

    @staticmethod
    def _case(number: int, product: str, key: str, report: bytes, authority: Authority) -> Case:
        intermediate = 'asvk' if key == 'vlek' else 'ask'
        certificates = {name: authority.certificates[name] for name in ('ark', intermediate, key)}
        version = int.from_bytes(field(report, 'VERSION'), 'little')
        return case_of(f'{number:03}-{product.lower()}-v{version}-{key}', product, key, report, certificates)
