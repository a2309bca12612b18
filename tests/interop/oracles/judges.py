# SPDX-License-Identifier: Apache-2.0
"""The oracles and we: each takes a case and accepts or refuses it. Foreign programs run unmodified, under a deadline."""
from __future__ import annotations

import dataclasses
import os
import pathlib
import subprocess
import warnings

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from cases import SIGNED_OCTETS, Case, signature_der

# VEKs have the serial number 0, AMD's as well.
warnings.filterwarnings('ignore', 'Parsed a serial number')

SECONDS = 60  # whoever takes longer has given no verdict, and ends the run


@dataclasses.dataclass(frozen=True)
class Verdict:
    accepts: bool
    message: str

    def __str__(self) -> str:
        return 'accepts' if self.accepts else f'refuses: {self.message}'


def run(*command: str, stdin: str = '') -> subprocess.CompletedProcess:
    return subprocess.run(command, capture_output=True, text=True, errors='replace', input=stdin, timeout=SECONDS,
                          check=False, env=os.environ | {'RUST_BACKTRACE': '0'})


def all_of(*commands: tuple[str, ...]) -> Verdict:
    """all_of is the verdict of programs of which each must end with 0; the first that does not gives the message."""
    for command in commands:
        done = run(*command)
        if done.returncode < 0:
            raise RuntimeError(f'{" ".join(command)}: ended by signal {-done.returncode}: that is no verdict')
        if 'panicked at' in done.stderr or 'goroutine 1 [' in done.stderr:
            raise RuntimeError(f'{" ".join(command)}: panicked: that is no verdict: {done.stderr.strip()[:600]}')
        if done.returncode != 0:
            text = done.stderr.strip() or done.stdout.strip()
            return Verdict(False, ' '.join(text.split())[:600] or f'exit {done.returncode}')
    return Verdict(True, '')


class Judges:
    """Where the programs are, and how each is asked."""

    def __init__(self, ours: pathlib.Path, foreign: pathlib.Path):
        self.ours, self.foreign = ours, foreign

    def attestbed(self, case: Case) -> Verdict:
        at = case.directory
        done = run(str(self.ours / 'attestbed'), 'verify', str(at / 'report.bin'), '--certs', str(at / f'{case.key}.der'),
                   '--certs', str(at / f'{case.intermediate}.der'), '--root', str(at / 'ark.der'))
        if done.returncode not in (0, 1):
            raise RuntimeError(f'attestbed verify of {at}: exit {done.returncode}: {done.stderr.strip()}')
        return Verdict(done.returncode == 0, done.stderr.strip())

    def check(self, case: Case) -> Verdict:
        at = case.directory
        # SMT, debug and the like are the relying party's to judge: the policy that the report is allowed is its own.
        return all_of((str(self.foreign / 'check'), '-in', str(at / 'attestation.bin'), '-inform', 'bin',
                       '-network=false', '-product', case.product, '-product_key_path', str(at / 'bundle.pem'),
                       '-guest_policy', hex(case.policy), '-provisional=true'))

    def snpguest(self, case: Case) -> Verdict:
        at, program = str(case.directory), str(self.foreign / 'snpguest')
        model = ('-p', case.product.lower()) if case.version == 2 else ()
        return all_of((program, 'verify', 'certs', at),
                      (program, 'verify', 'attestation', at, f'{at}/report.bin', *model))

    def sev(self, case: Case) -> Verdict:
        done = run(str(self.foreign / 'sev_judge'), 'verify', stdin=f'{case.directory}\n')
        name, verdict, message = (done.stdout.rstrip('\n').split('\t') + ['', ''])[:3]
        if done.returncode != 0 or name != str(case.directory):
            raise RuntimeError(f'sev_judge: {done.stderr.strip()}')
        return Verdict(verdict == 'accepts', message)

    def openssl(self, case: Case) -> Verdict:
        at, tool = case.directory, 'openssl'
        public_key = str(at / 'leaf.pub')
        return all_of((tool, 'verify', '-CAfile', str(at / 'root.txt'), '-untrusted', str(at / 'intermediate.txt'),
                       str(at / 'leaf.txt')),
                      (tool, 'x509', '-in', str(at / 'leaf.txt'), '-noout', '-pubkey', '-out', public_key),
                      (tool, 'dgst', '-sha384', '-verify', public_key, '-signature', str(at / 'signature.der'),
                       str(at / 'signed.bin')))

    def cryptography(self, case: Case) -> Verdict:
        held = case.certificates
        try:
            ark, intermediate, vek = (x509.load_der_x509_certificate(held[name])
                                      for name in ('ark', case.intermediate, case.key))
            ark.verify_directly_issued_by(ark)
            intermediate.verify_directly_issued_by(ark)
            vek.verify_directly_issued_by(intermediate)
            vek.public_key().verify(signature_der(case.report), case.report[:SIGNED_OCTETS], ec.ECDSA(hashes.SHA384()))
        except (ValueError, TypeError, InvalidSignature) as why:
            return Verdict(False, f'{type(why).__name__}: {why}')
        return Verdict(True, '')
