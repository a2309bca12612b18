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
from foreign_cases import made_by_amd, made_by_go_sev_guest
from judges import Judges
from launch_digests import agreement
from mutations import mutations
from readers import all_alike
from valid_reports import valid_reports

VALID, MUTATED, SEED = 200, 200, 20251101
ROOT = pathlib.Path(__file__).resolve().parents[3]
DOCUMENT, SAMPLES = ROOT / 'docs' / 'interop.md', ROOT / 'core' / 'verify' / 'testdata'


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
    if case.maker != 'snp-sim':
        return f'by {case.maker}'
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


def judges_of(options: argparse.Namespace) -> dict:
    at = Judges(options.ours, options.foreign)
    judges = {'attestbed': at.attestbed, 'check': at.check, 'sev': at.sev, 'snpguest': at.snpguest, 'openssl': at.openssl,
              'cryptography': at.cryptography}
    return {name: judge for name, judge in judges.items() if name not in options.without}


def foreign_cases(options: argparse.Namespace) -> tuple[list[Case], list[str]]:
    cases, expired = made_by_amd(SAMPLES)
    if 'check' not in options.without:
        cases += made_by_go_sev_guest(options.foreign / 'foreign_reports', options.out / 'made' / 'go-sev-guest')
    return cases, expired


def print_verdicts(cases: list[Case], judges: dict, expectations: Expectations) -> None:
    """print_verdicts prints the two tables, valid cases and mutations, and how often each disagreement occurred."""
    valid, mutated = [case for case in cases if not case.mutation], [case for case in cases if case.mutation]
    signed = sum(case.signed for case in valid)
    print(f'{signed} valid reports: accepted of judged; {len(valid) - signed} unsigned: refused of judged\n'
          f'{expectations.table(list(judges), list(dict.fromkeys(map(column, valid))))}\n')
    print(f'{len(mutated)} mutations of {len({case.mutation for case in mutated})} kinds: refused of judged (accepted)\n'
          f'{expectations.table(list(judges), sorted(set(map(column, mutated))))}\n')
    print('explained in docs/interop.md:')
    for entry in expectations.disagreements:
        counts = [count for (name, *_), count in expectations.occurred.items() if name == entry['id']]
        print(f'  {entry["id"]}: {sum(counts)} verdicts on {len(counts)} kinds')


def main() -> int:
    options = arguments()
    if options.document:
        options.document.write_text(document.with_made_part(options.document.read_text(), Expectations()))
        return 0
    shutil.rmtree(options.out, ignore_errors=True)
    feed = Feed(options.ours / 'snp-sim', options.out / 'made', options.seed)
    expectations, judges = Expectations(), judges_of(options)

    def supporters(case: Case) -> int:
        return sum(expectations.exclusion(name, case) is None for name in judges)

    made, in_vain = valid_reports(feed, options.valid, expectations.unread)
    others, expired = foreign_cases(options)
    valid = [case for case, _ in made] + others
    signed = [(case, authority) for case, authority in made if case.signed]
    cases = valid + list(mutations(signed, options.mutations, options.seed, supporters))
    for case in cases:
        case.write(options.out / ('mutations' if case.mutation else 'valid'))
    judge_all(cases, judges, expectations)
    failures = expectations.finish(cases, set(judges))
    if not document.is_true(DOCUMENT, expectations):
        failures.append(f'{DOCUMENT} is not what the data says: {sys.argv[0]} --document {DOCUMENT}')
    print_verdicts(cases, judges, expectations)
    print(f'\nread by no foreign verifier of reports, so made in vain: {in_vain} reports (see docs/interop.md)')
    if expired:
        print(f'\nnot judged here, since the endorsement has expired and no oracle takes a time: {", ".join(expired)}')
    readings, unlike = all_alike(valid, options.ours, options.foreign, options.without, expectations)
    print(f'\nfields read beside attestbed show:\n{readings}')
    launches, differ = agreement(options.ours, options.foreign, options.out / 'launch', options.seed)
    print(f'\nlaunch digests and ID blocks, beside sev-snp-measure:\n{launches}')
    failures += unlike + differ
    for failure in failures:
        print(f'FAILED: {failure}', file=sys.stderr)
    return 1 if failures else 0


if __name__ == '__main__':
    try:
        sys.exit(main())
    except (RuntimeError, OSError, subprocess.TimeoutExpired) as why:
        print(f'run_oracles: {why}', file=sys.stderr)
        sys.exit(3)
