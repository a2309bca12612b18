#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times attestations from inside a VM, one after the other, under TCG and, where it runs guests, under KVM.

Writes Google Benchmark's form of JSON; the figures that have goals are those under TCG.
"""
from __future__ import annotations

import argparse
import json
import pathlib
import statistics
import subprocess
import sys

ROUNDS = 5
SECONDS = 600
PHASES = ('up_ms', 'first_frame_ms', 'result_ms')


def boot(program: pathlib.Path, *arguments: str) -> dict:
    """boot is one `attestbed vm`, whose guest must get its secret."""
    done = subprocess.run([program, 'vm', '--json', *arguments], capture_output=True, text=True, timeout=SECONDS,
                          check=False)
    if done.returncode != 0:
        raise RuntimeError(f'attestbed vm {" ".join(arguments)} ended with {done.returncode}: {done.stderr.strip()}')
    return json.loads(done.stdout)


def guest(run: dict) -> dict:
    return run['guests'][0]


def attestation_ms(run: dict) -> float:
    """attestation_ms is the time of attest() itself: all of its phases, by the guest's clock."""
    return sum(phase['ms'] for phase in guest(run)['phases'])


def rows_of(accelerator: str, line: str, runs: list[dict]) -> list[dict]:
    """rows_of has a row for each figure of one accelerator and line: medians, and the extremes beside them."""
    figures = {name.removesuffix('_ms'): [run['vm'][name] for run in runs] for name in PHASES}
    figures['first frame to result'] = [run['vm']['result_ms'] - run['vm']['first_frame_ms'] for run in runs]
    figures['attest()'] = [attestation_ms(run) for run in runs]
    for at in range(len(guest(runs[0])['phases'])):
        figures['phase ' + guest(runs[0])['phases'][at]['name']] = [guest(run)['phases'][at]['ms'] for run in runs]
    figures['peak RSS of PID 1, KiB'] = [run['vm']['peak_rss_kib'] for run in runs]
    return [{'name': f'vm/{accelerator}/{line}/{name}', 'run_type': 'iteration', 'median': statistics.median(values),
             'least': min(values), 'most': max(values)} for name, values in figures.items()]


def show(rows: list[dict]) -> None:
    for row in rows:
        print(f'{row["name"]:<48} median {row["median"]:10.1f}   {row["least"]:10.1f} .. {row["most"]:.1f}')


def goals(runs: list[dict], raw: list[dict]) -> list[dict]:
    """goals are the rows that the table of goals finds: medians under TCG."""
    vm = runs[0]['vm']
    size = (vm['kernel_octets'] + vm['initramfs_octets']) / 2**20
    to_secret = [run['vm']['result_ms'] / 1000 for run in runs]
    attest = [attestation_ms(run) / 1000 for run in runs]
    how = f'tcg, com3, {len(runs)} boots, {min(to_secret):.2f} to {max(to_secret):.2f} s'
    rows = [('vm.image', size, f'{vm["kernel_octets"]} + {vm["initramfs_octets"]} octets, kernel {vm["kernel_release"]}'),
            ('vm.start_to_secret', statistics.median(to_secret), how),
            ('vm.attestation', statistics.median(attest), f'{min(attest):.3f} to {max(attest):.3f} s')]
    counts = [guest(run)['uart'] for run in raw]
    for name, polls in (('vm.raw_port_instructions', 0), ('vm.raw_port_instructions_and_polls', 1)):
        each = [(count['intercepted'] + polls * count['idle_polls']) / count['octets'] for count in counts]
        rows.append((name, statistics.median(each), f'{counts[0]["intercepted"]} for {counts[0]["octets"]} octets, and '
                                                    f'{counts[0]["idle_polls"]} polls that found nothing'))
    return [{'name': f'target/{name}', 'run_type': 'iteration', name: value, 'label': label}
            for name, value, label in rows]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--program', type=pathlib.Path, default='build/release/bin/attestbed')
    parser.add_argument('--out', type=pathlib.Path, default='build/bench/vm.json')
    parser.add_argument('--rounds', type=int, default=ROUNDS)
    options = parser.parse_args()
    rows, runs = [], {}
    for line in ('com3', 'com3-raw', 'virtio-serial'):
        runs[line] = [boot(options.program, '--accel', 'tcg', '--transport', line) for _ in range(options.rounds)]
        rows += rows_of('tcg', line, runs[line])
    probed = boot(options.program, '--accel', 'auto')['vm']
    if probed['accelerator'] == 'kvm':
        rows += rows_of('kvm', 'com3', [boot(options.program, '--accel', 'kvm') for _ in range(options.rounds)])
    show(rows)
    if probed['accelerator'] != 'kvm':
        print(f'kvm: not measured: {probed["reason"]}')
    options.out.parent.mkdir(parents=True, exist_ok=True)
    rows += goals(runs['com3'], runs['com3-raw'])
    options.out.write_text(json.dumps({'context': {}, 'benchmarks': rows}, indent=2))
    return 0


if __name__ == '__main__':
    try:
        sys.exit(main())
    except (RuntimeError, OSError, KeyError, ValueError, subprocess.TimeoutExpired) as why:
        print(f'bench-vm: {why}', file=sys.stderr)
        sys.exit(3)
