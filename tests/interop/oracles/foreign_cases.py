# SPDX-License-Identifier: Apache-2.0
"""The other direction: reports that snp-sim did not make, and that we accept as every oracle does. go-sev-guest encodes
and signs some under authorities of its own; the public samples are of AMD's hardware, under AMD's roots."""
from __future__ import annotations

import datetime
import pathlib
import re
import subprocess

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from cases import Case, case_of

SECONDS = 60
INTERMEDIATE = {'vcek': 'ask', 'vlek': 'asvk'}


def made_by_go_sev_guest(program: pathlib.Path, below: pathlib.Path) -> list[Case]:
    done = subprocess.run([program, below], capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode != 0:
        raise RuntimeError(f'{program}: {done.stderr.strip()}')
    cases = []
    for directory in sorted(below.iterdir()):
        product, _, key = re.fullmatch(r'(\w+)-v(\d)-(\w+)', directory.name.replace('VCEK', 'vcek').replace(
            'VLEK', 'vlek')).groups()
        certificates = {name: (directory / f'{name}.der').read_bytes() for name in ('ark', INTERMEDIATE[key], key)}
        cases.append(case_of(f'go-{directory.name}', product, key, (directory / 'report.bin').read_bytes(), certificates,
                             maker='go-sev-guest'))
    return cases


def made_by_amd(samples: pathlib.Path) -> tuple[list[Case], list[str]]:
    """made_by_amd are the samples whose certificates are valid today, and the names of the others: foreign programs ask the
    machine's clock, and our tests judge those at their own time."""
    cases, expired = [], []
    for path in sorted((samples / 'reports').glob('*.bin')):
        product = path.stem.split('-')[1].capitalize()
        endorsement = next((samples / 'certs').glob(f'{path.stem}.*.der'))
        key = endorsement.suffixes[0][1:]
        chain = next(samples / 'ca' / f'ask_ark_{product.lower()}{suffix}.pem' for suffix in (
            ['_vlek'] if key == 'vlek' else ['_vcek', '']) if
            (samples / 'ca' / f'ask_ark_{product.lower()}{suffix}.pem').exists())
        intermediate, ark = x509.load_pem_x509_certificates(chain.read_bytes())
        vek = x509.load_der_x509_certificate(endorsement.read_bytes())
        if min(c.not_valid_after_utc for c in (vek, intermediate, ark)) < datetime.datetime.now(datetime.timezone.utc):
            expired.append(path.stem)
            continue
        certificates = {'ark': ark.public_bytes(Encoding.DER), key: endorsement.read_bytes(),
                        INTERMEDIATE[key]: intermediate.public_bytes(Encoding.DER)}
        cases.append(case_of(f'amd-{path.stem}', product, key, path.read_bytes(), certificates, maker='AMD'))
    return cases, expired
