#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Unmodified snpguest inside a VM, against the simulated /dev/sev-guest: its report, key and certificates, and what its
own verifier, outside, says of them."""

import argparse
import base64
import json
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
BUSYBOX = pathlib.Path('/bin/busybox')
SECONDS = 600


def run(*arguments, code=0):
    done = subprocess.run(list(map(str, arguments)), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=SECONDS, check=False)
    if done.returncode != code:
        raise AssertionError(f'{" ".join(map(str, arguments))} ended with {done.returncode}\n{done.stdout}{done.stderr}')
    return done.stdout


def libraries(program):
    """libraries are the shared objects that a program loads, its loader among them."""
    return sorted(set(re.findall(r'(/\S+) \(0x', run('ldd', program))))


def shown(console, name):
    """shown is a file that the guest wrote to its console; None if it did not."""
    found = re.search(rf'foreign: begin {re.escape(name)}\r?\n(.*?)foreign: end', console, re.S)
    return base64.b64decode(found[1]) if found else None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--bin', type=pathlib.Path, default='build/release/bin')
    parser.add_argument('--foreign', type=pathlib.Path, default='build/interop/bin')
    parser.add_argument('--kernel', type=pathlib.Path, default='build/kernel')
    parser.add_argument('--out', type=pathlib.Path, default='build/interop/vm')
    options = parser.parse_args()
    attestbed, snpguest = options.bin / 'attestbed', options.foreign / 'snpguest'
    shutil.rmtree(options.out, ignore_errors=True)
    options.out.mkdir(parents=True)

    added = {BUSYBOX: '/bin/busybox', snpguest.resolve(): '/bin/snpguest', HERE / 'foreign_init.sh': '/test/init'}
    added |= {pathlib.Path(path): path for path in libraries(snpguest)}
    adds = [word for host, guest in added.items() for word in ('--add', f'{host}={guest}')]
    image, kept = options.out / 'image', options.out / 'kept'
    run(attestbed, 'image', '--kernel', options.kernel, '--out', image, *adds)
    told = json.loads(run(attestbed, 'vm', '--json', '--image', image, '--append', 'rdinit=/test/init', '--memory', '512',
                          '--keep', kept))
    console = (kept / 'console.log').read_text(errors='replace')

    for question in ('report', 'key', 'key_again', 'same_key', 'certificates'):
        if f'foreign: ok {question}' not in console.splitlines():
            raise AssertionError(f'snpguest: no {question}: ' + ' '.join(re.findall(r'foreign: failed.*', console)))
        print(f'snpguest in the VM: {question}: ok')
    if len(shown(console, 'key.bin')) != 32:
        raise AssertionError('snpguest: its key has not 32 octets')
    report = options.out / 'report.bin'
    report.write_bytes(shown(console, 'report.bin'))
    if report.read_bytes()[0x50:0x90] != shown(console, 'request.bin'):
        raise AssertionError("snpguest: the report has not the request's REPORT_DATA")
    certs = options.out / 'certs'
    certs.mkdir()
    for name in re.findall(r'foreign: begin (certs/\S+)', console):
        (options.out / name).write_bytes(shown(console, name))
    print(run(snpguest, 'verify', 'certs', certs), end='')
    print(run(snpguest, 'verify', 'attestation', certs, report), end='')
    if told['guests'][0]['outcome'] != 'released':
        raise AssertionError(f'attest-guest, after snpguest: {told["guests"][0]["outcome"]}')
    print('attest-guest in the same VM, from the same device: released')
    return 0


if __name__ == '__main__':
    try:
        sys.exit(main())
    except (AssertionError, OSError, ValueError, TypeError, subprocess.TimeoutExpired) as why:
        print(f'snpguest in the VM: {why}', file=sys.stderr)
        sys.exit(1)
