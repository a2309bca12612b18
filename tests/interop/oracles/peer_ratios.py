#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times go-sev-guest and the crate sev on the same reports as we are, in turns, and sets them beside us. Exit: 0 measured,
1 a program refused a report, 3 could not run."""
from __future__ import annotations

import argparse
import json
import pathlib
import shutil
import subprocess
import sys

from feed import Feed

ROUNDS, REPORTS, SEED, SECONDS = 3, 40, 20251101, 120
PEERS = {'peers.go_sev_guest': 'peer_bench', 'peers.sev_openssl': 'sev_bench_openssl',
         'peers.sev_rustcrypto': 'sev_bench_nossl'}
QUESTIONS = {'from octets': '', 'chain held': '_report'}


def cases(snp_sim: pathlib.Path, out: pathlib.Path) -> list[str]:
    """cases are what all of us accept: VCEK reports of Milan and Genoa from version 3 on."""
    shutil.rmtree(out, ignore_errors=True)
    chosen = [case for case, _ in Feed(snp_sim, out / 'made', SEED).many(REPORTS)
              if case.product != 'Turin' and case.version > 2 and case.key == 'vcek' and not case.masked_chip]
    for case in chosen:
        case.write(out)
    return [str(case.directory) for case in chosen]


def times(program: pathlib.Path, directories: list[str]) -> dict[str, float]:
    """times is what one program says: nanoseconds for each question."""
    done = subprocess.run([program, *directories], capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode != 0:
        print(f'bench-peers: {program}: {done.stderr.strip()}', file=sys.stderr)
        sys.exit(1)
    return {row['name'].partition('/')[2]: row['real_time'] for row in json.loads(done.stdout)['benchmarks']}


def least(rounds: list[dict[str, float]]) -> dict[str, float]:
    """least takes for each question the shortest: a neighbour on the machine only ever adds."""
    return {question: min(one[question] for one in rounds) for question in QUESTIONS}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--ours', type=pathlib.Path, default='build/release/bin')
    parser.add_argument('--foreign', type=pathlib.Path, default='build/interop/bin')
    parser.add_argument('--cases', type=pathlib.Path, default='build/interop/bench')
    parser.add_argument('--out', type=pathlib.Path, default='build/bench/peers.json')
    options = parser.parse_args()
    directories = cases(options.ours / 'snp-sim', options.cases)
    programs = {'ours': options.ours / 'attestbed_bench_peers'}
    programs |= {name: options.foreign / program for name, program in PEERS.items()
                 if (options.foreign / program).exists()}
    rounds: dict[str, list] = {name: [] for name in programs}
    for _ in range(ROUNDS):
        for name, program in programs.items():
            rounds[name].append(times(program, directories))
    figures = {name: least(measured) for name, measured in rounds.items()}
    rows = []
    for name in PEERS:
        for question, suffix in QUESTIONS.items() if name in figures else ():
            theirs, ours = figures[name][question], figures['ours'][question]
            rows.append({'name': f'peers/{name}{suffix}', 'run_type': 'iteration', f'{name}{suffix}': theirs / ours,
                         'label': f'{theirs / 1e3:.0f} us over {ours / 1e3:.0f} us, least of {ROUNDS} rounds of 1.1 s or '
                                  f'more over {len(directories)} reports'})
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps({'context': {}, 'benchmarks': rows}, indent=2))
    return 0


if __name__ == '__main__':
    try:
        sys.exit(main())
    except (RuntimeError, OSError, subprocess.TimeoutExpired) as why:
        print(f'bench-peers: {why}', file=sys.stderr)
        sys.exit(3)
