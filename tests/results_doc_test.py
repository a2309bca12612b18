#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""results_doc_test.py PAGE ATTESTBED: the tables of docs/results.md name the members that are printed, and no others."""
import json
import pathlib
import re
import subprocess
import sys


def documented(page: str) -> dict[str, set[str]]:
    """documented is heading -> the members of the first column below it."""
    tables: dict[str, set[str]] = {}
    for section in re.split(r'^## ', page, flags=re.MULTILINE)[1:]:
        cells = re.findall(r'^\| (`.*?) \|', section, flags=re.MULTILINE)
        tables[section.split('\n', 1)[0]] = {name for cell in cells for name in re.findall(r'`(\w+)`', cell)}
    return tables


def printed(attestbed: str, *flags: str) -> dict:
    done = subprocess.run([attestbed, 'run', '--json', *flags], capture_output=True, text=True, timeout=100, check=False)
    return json.loads(done.stdout)


def main() -> int:
    page, attestbed = pathlib.Path(sys.argv[1]).read_text(), sys.argv[2]
    runs = [printed(attestbed), printed(attestbed, '--break', 'measurement')]
    found = {'Run': set().union(*runs), 'Guest': set().union(*(guest for run in runs for guest in run['guests']))}
    said = documented(page)
    expected = {'Run': said['Run'], 'Guest': said['Guest, by itself'] | said['Guest, as others saw it']}
    bad = 0
    for what, members in found.items():
        for member in sorted(members ^ expected[what]):
            print(f'{what}: {member} is', 'printed and not in the page' if member in members else 'in the page alone')
            bad = 1
    return bad


if __name__ == '__main__':
    sys.exit(main())
