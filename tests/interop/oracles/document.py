# SPDX-License-Identifier: Apache-2.0
"""The part of docs/interop.md that is made of the data: who supports what, and who is wrong where."""
from __future__ import annotations

import pathlib
import textwrap

from expectations import Expectations

BEGIN, END = '<!-- made by run_oracles.py --document -->\n', '<!-- end of what is made -->\n'


def wrapped(text: str) -> str:
    return textwrap.fill(text, 118, break_long_words=False, break_on_hyphens=False)


def chosen(when: dict) -> str:
    return ', '.join(f'{name} {value}' for name, value in when.items())


def made_part(expectations: Expectations) -> str:
    lines = ['### What an oracle does not support', '', '| oracle | cases | its own words |', '| --- | --- | --- |']
    for name, oracle in (expectations.oracles | expectations.readers).items():
        for exclusion in oracle.get('exclusion', []):
            lines.append(f'| {name} | {chosen(exclusion["when"])} | `{exclusion["message"]}` |')
    lines += ['', '### Where we disagree', '']
    for entry in expectations.disagreements:
        verb = entry['verdict'] if len(entry['oracles']) == 1 else entry['verdict'].removesuffix('s')
        when = f' ({chosen(entry["when"])})' if 'when' in entry else ''
        lines += [f'#### {entry["id"]}', '',
                  wrapped(f'{", ".join(entry["oracles"])} {verb}{when}: {", ".join(entry["mutations"])}.'), '',
                  wrapped(f'Right is {entry["right"]}. {entry["why"]}'), '']
    return '\n'.join(lines)


def with_made_part(document: str, expectations: Expectations) -> str:
    """with_made_part replaces what is between the two marks, of which there is one each."""
    before, _, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise RuntimeError('the document lacks the marks between which the data is shown')
    return f'{before}{BEGIN}\n{made_part(expectations)}\n{END}{after}'


def is_true(path: pathlib.Path, expectations: Expectations) -> bool:
    text = path.read_text()
    return text == with_made_part(text, expectations)
