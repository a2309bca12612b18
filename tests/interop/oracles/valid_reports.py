# SPDX-License-Identifier: Apache-2.0
"""Which valid reports are made: every product, version and key that snp-sim has, and what the firmware leaves unsigned."""
from __future__ import annotations

from cases import Case
from feed import Authority, Feed

PRODUCTS, VERSIONS, KEYS = ('Milan', 'Genoa', 'Turin'), (2, 3, 5), ('vcek', 'vlek')


def valid_reports(feed: Feed, least: int) -> list[tuple[Case, Authority]]:
    """valid_reports are `least` of the public test authorities, and a few each of an authority with a root of its own, and
    of chips whose key is masked: the firmware answers with a report that nobody signed, and nobody may accept."""
    made = feed.many(least)
    other = feed.authority('Milan')
    for version in VERSIONS:
        for key in KEYS:
            made.append(feed.report(other, 'Milan', len(made), version, key))
        made.append(feed.report(other, 'Milan', len(made), version, 'vcek', '--mask-chip-key'))
    wanted = {(product, version, key) for product in PRODUCTS for version in VERSIONS for key in KEYS}
    missing = wanted - {(case.product, case.version, case.key) for case, _ in made if case.signed}
    if missing:
        raise RuntimeError(f'no valid report of {sorted(missing)}: more are wanted than {least}')
    return made
