#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Has published verifiers judge what snp-sim signs, and mutations of it, beside attestbed. Exit: 0 as written down in
oracles.toml and disagreements.toml, 1 not, 3 could not run."""
from __future__ import annotations

import argparse
import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys

import document
from cases import Case
from expectations import Expectations
from feed import Feed
from judges import Judges
from launch_digests import agreement
from mutations import mutations
from valid_reports import valid_reports

VALID, MUTATED, SEED = 200, 200, 20251101
DOCUMENT = pathlib.Path(__file__).resolve().parents[3] / 'docs' / 'interop.md'


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--ours', type=pathlib.Path, default='build/release/bin', help='where attestbed and snp-sim are')
    parser.add_argument('--foreign', type=pathlib.Path, default='build/interop/bin', help='where the oracles are')
    parser.add_argument('--out', type=pathlib.Path, default='build/interop/cases', help='for the cases; emptied first')
    parser.add_argument('--without', action='append', default=[], metavar='ORACLE', help='leave an oracle out')
    parser.add_argument('--valid', type=int, default=VALID, help='at least so many valid reports')
    parser.add_argument('--mutations', type=int, default=MUTATED, help='at least so many mutations')
    parser.add_argument('--seed', type=int, default=SEED)
    parser.add_argument('--document', type=pathlib.Path, help='write the data into this document, and run nothing')
    return parser.parse_args()


def column(case: Case) -> str:
    if not case.mutation:
        return f'{case.product} v{case.version}' if case.signed else 'unsigned'
    kind = case.mutation.split('-')[0]
    return {'bit': 'one bit', 'signature': 'signature', 'resigned': 'signed again', 'vek': 'VEK', 'ask': 'ASK',
            'swapped': 'swapped'}[kind]


def judge_all(cases: list[Case], judges: dict, expectations: Expectations) -> None:
    """judge_all has every oracle judge every case, as many at a time as there are processors."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        pending = []
        for case in cases:
            for name, judge in judges.items():
                if case.mutation and expectations.exclusion(name, case):
                    continue
                pending.append((name, case, pool.submit(judge, case)))
        for name, case, verdict in pending:
            expectations.take(name, case, verdict.result(), column(case))


def main() -> int:
    options = arguments()
    if options.document:
        options.document.write_text(document.with_made_part(options.document.read_text(), Expectations()))
        return 0
    shutil.rmtree(options.out, ignore_errors=True)
    feed = Feed(options.ours / 'snp-sim', options.out / 'made', options.seed)
    expectations = Expectations()
    at = Judges(options.ours, options.foreign)
    judges = {'attestbed': at.attestbed, 'check': at.check, 'sev': at.sev, 'snpguest': at.snpguest, 'openssl': at.openssl,
              'cryptography': at.cryptography}
    judges = {name: judge for name, judge in judges.items() if name not in options.without}
    valid = valid_reports(feed, options.valid)
    signed = [(case, authority) for case, authority in valid if case.signed]
    cases = [case for case, _ in valid] + list(mutations(signed, options.mutations, options.seed))
    for case in cases:
        case.write(options.out / ('mutations' if case.mutation else 'valid'))
    judge_all(cases, judges, expectations)
    failures = expectations.finish(cases, set(judges))
    if not document.is_true(DOCUMENT, expectations):
        failures.append(f'{DOCUMENT} is not what the data says: {sys.argv[0]} --document {DOCUMENT}')
    columns = list(dict.fromkeys(column(case) for case in cases if not case.mutation))
    print(f'{len(signed)} valid reports: accepted of judged; {len(valid) - len(signed)} unsigned: refused\n{expectations.table(list(judges), columns)}\n')
    columns = sorted({column(case) for case in cases if case.mutation})
    kinds = {case.mutation for case in cases if case.mutation}
    print(f'{len(cases) - len(valid)} mutations of {len(kinds)} kinds: refused of judged (accepted)\n'
          f'{expectations.table(list(judges), columns)}\n')
    print('explained in docs/interop.md:')
    for entry in expectations.disagreements:
        counts = [count for (name, *_), count in expectations.occurred.items() if name == entry['id']]
        print(f'  {entry["id"]}: {sum(counts)} cases, {len(counts)} kinds')
    launches, differ = agreement(options.ours, options.foreign, options.out / 'launch', options.seed)
    print(f'\nlaunch digests and ID blocks, beside sev-snp-measure:\n{launches}')
    failures += differ
    for failure in failures:
        print(f'FAILED: {failure}', file=sys.stderr)
    return 1 if failures else 0


if __name__ == '__main__':
    try:
        sys.exit(main())
    except (RuntimeError, OSError, subprocess.TimeoutExpired) as why:
        print(f'run_oracles: {why}', file=sys.stderr)
        sys.exit(3)
