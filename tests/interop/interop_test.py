# SPDX-License-Identifier: Apache-2.0
"""Runs the Python guest and proxy of this directory against attest-guest, attest-proxy, snp-sim and mock-kbs.

    python3 interop_test.py --bin DIRECTORY [--document PROTOCOL.md] [unittest arguments]
"""

import argparse
import sys
import unittest

from test_broker import BrokenBrokers
from test_guest import Attacks, FirmwareFaults, HostileProxies
from test_proxy import HostileGuests
from test_release import Documents, Refusals, Releases
from test_serial import Serial
from test_serial_proxy import RealGuest, Rules
from world import OPTIONS, WORLD

CASES = (Documents, Releases, Refusals, Attacks, HostileProxies, HostileGuests, BrokenBrokers, FirmwareFaults, Serial,
         RealGuest, Rules)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--bin", required=True, help="directory of attest-guest, attest-proxy, snp-sim and mock-kbs")
    arguments.add_argument("--document", help="protocol.md, for the worked example of annex C")
    _, others = arguments.parse_known_args(namespace=OPTIONS)
    try:
        WORLD.set_up()
        passed = unittest.main(argv=[sys.argv[0], *others], exit=False).result.wasSuccessful()
    finally:
        statuses = WORLD.tear_down()
    if any(statuses):
        print(f"a program ended with {statuses}", file=sys.stderr)
    return 0 if passed and not any(statuses) else 1


if __name__ == "__main__":
    sys.exit(main())
