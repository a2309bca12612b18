# SPDX-License-Identifier: Apache-2.0
"""What is expected of whom: a valid report is accepted by every oracle that supports it, a mutation refused. What a tool
does not support is in oracles.toml, where it and we disagree in disagreements.toml; both are held to what happens."""
from __future__ import annotations

import collections
import itertools
import pathlib
import tomllib

from cases import Case
from judges import Verdict

HERE = pathlib.Path(__file__).resolve().parent


def matches(when: dict, case: Case) -> bool:
    """matches compares attributes; a list stands for any of its values."""
    attributes = case.attributes()
    for name, wanted in when.items():
        if attributes[name] not in (wanted if isinstance(wanted, list) else [wanted]):
            return False
    return True


class Expectations:
    """Takes verdicts one by one, and knows at the end what was not as written down."""

    def __init__(self, oracles: pathlib.Path = HERE / 'oracles.toml',
                 disagreements: pathlib.Path = HERE / 'disagreements.toml'):
        supported = tomllib.loads(oracles.read_text())
        self.oracles, self.readers = supported['oracle'], supported['reader']
        self.readers_of_reports = [name for name, oracle in self.oracles.items() if oracle.get('reads_reports')]
        self.disagreements = tomllib.loads(disagreements.read_text())['disagreement']
        self.occurred: collections.Counter[tuple[str, str, str]] = collections.Counter()
        self.failures: list[str] = []
        self.foreign_judges: collections.Counter[str] = collections.Counter()
        self.cells: dict[tuple[str, str], list[int]] = collections.defaultdict(lambda: [0, 0, 0])

    def exclusion(self, oracle: str, case: Case) -> dict | None:
        """exclusion is why this oracle has nothing to say about such cases, or None."""
        known = self.oracles | self.readers
        return next((e for e in known.get(oracle, {}).get('exclusion', []) if matches(e['when'], case)), None)

    def unread(self, case: Case) -> bool:
        """unread is true of a report of Milan or Genoa of which every oracle that reads reports says that it cannot."""
        return case.product != 'Turin' and all(self.exclusion(name, case) for name in self.readers_of_reports)

    def take(self, oracle: str, case: Case, verdict: Verdict, column: str) -> None:
        """take judges a verdict of an oracle on a case."""
        right, deviant, excluded = 0, 1, 2
        cell = self.cells[oracle, column]
        exclusion = self.exclusion(oracle, case)
        if exclusion:
            cell[excluded] += 1
            if not case.mutation and (verdict.accepts or exclusion['message'] not in verdict.message):
                self.failures.append(f'{oracle} is excluded from {case.name} for {exclusion["message"]!r}, but {verdict}')
            return
        if oracle != 'attestbed':
            self.foreign_judges[case.name] += 1
        wanted = not case.mutation and case.signed
        explained = self._explained(oracle, case, not wanted)
        if verdict.accepts == wanted:
            cell[right] += 1
            if explained and not explained.get('sometimes'):
                self.failures.append(f'{explained["id"]}: {oracle} agrees on {case.name} ({verdict}): correct the entry')
            return
        cell[deviant] += 1
        if explained:
            self.occurred[explained['id'], oracle, case.mutation or 'valid'] += 1
        else:
            self.failures.append(f'{oracle} {verdict} on {case.name}, {"a valid report" if wanted else "a mutation"}: '
                                 f'see {case.directory}')

    def _explained(self, oracle: str, case: Case, accepts: bool) -> dict | None:
        kind = case.mutation or 'valid'
        for entry in self.disagreements:
            if (oracle in entry['oracles'] and (entry['verdict'] == 'accepts') == accepts and kind in entry['mutations'] and
                    matches(entry.get('when', {}), case)):
                return entry
        return None

    def finish(self, cases: list[Case], ran: set[str]) -> list[str]:
        """finish adds what only shows at the end: entries that did not occur, and cases with too few judges."""
        for entry in self.disagreements:
            for oracle, kind in itertools.product(entry['oracles'], entry['mutations']):
                if oracle in ran and not self.occurred[entry['id'], oracle, kind]:
                    self.failures.append(f'{entry["id"]}: did not occur with {oracle}, {kind}: correct disagreements.toml')
        if ran >= set(self.oracles):  # who left one out wants the others
            for case in cases:
                if case.product != 'Turin' and self.foreign_judges[case.name] < 2:
                    self.failures.append(f'{case.name}: judged by {self.foreign_judges[case.name]} foreign verifiers, '
                                         'two are wanted')
                if self.unread(case):
                    self.failures.append(f'{case.name}: judged by nobody who reads reports')
        return self.failures

    def table(self, names: list[str], columns: list[str]) -> str:
        """table is oracles x columns: as expected of judged, explained or not in brackets, a dash where excluded."""
        rows = [['', *columns]]
        for name in names:
            row = [name]
            for column in columns:
                right, deviant, excluded = self.cells[name, column]
                text = f'{right}/{right + deviant}' if right + deviant else '-' if excluded else ''
                row.append(text + (f' ({deviant})' if deviant else ''))
            rows.append(row)
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        return '\n'.join('  '.join(text.ljust(width) if i == 0 else text.rjust(width)
                                   for i, (text, width) in enumerate(zip(row, widths))) for row in rows)
