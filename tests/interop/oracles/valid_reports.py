# SPDX-License-Identifier: Apache-2.0
"""Which valid reports are made: every product, version and key that snp-sim has, and what the firmware leaves unsigned."""
from __future__ import annotations

import itertools
from collections.abc import Callable

from cases import Case
from feed import Authority, Feed

PRODUCTS, VERSIONS, KEYS = ('Milan', 'Genoa', 'Turin'), (2, 3, 5), ('vcek', 'vlek')


def valid_reports(feed: Feed, least: int, unread: Callable[[Case], bool]) -> tuple[list[tuple[Case, Authority]], int]:
    """valid_reports are `least` of the public test authorities, and a few each of an authority with a root of its own, and
    of chips whose key is masked: the firmware answers with a report that nobody signed, and nobody may accept. Reports that
    no foreign verifier of reports can read are made in vain: others take their place, and their number is the second."""
    drawn = feed.many(least + least // 8)
    made = [(case, authority) for case, authority in drawn if not unread(case)]
    in_vain = len(drawn) - len(made)
    if len(made) < least:
        raise RuntimeError(f'{in_vain} of {len(drawn)} reports are read by no foreign verifier: draw more')
    other, number = feed.authority('Milan'), itertools.count(len(drawn))
    for version in VERSIONS:
        for key in KEYS:
            made.append(feed.report(other, 'Milan', next(number), version, key))
        made.append(feed.report(other, 'Milan', next(number), version, 'vcek', '--mask-chip-key'))
    wanted = {(product, version, key) for product in PRODUCTS for version in VERSIONS for key in KEYS}
    missing = wanted - {(case.product, case.version, case.key) for case, _ in made if case.signed}
    if missing:
        raise RuntimeError(f'no valid report of {sorted(missing)}: more are wanted than {least}')
    return made, in_vain
