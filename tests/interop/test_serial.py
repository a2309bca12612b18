# SPDX-License-Identifier: Apache-2.0
"""Serial lines."""

import json
import os
import sys
import time
import unittest

import guest
import wire
from messages import compact, error, negotiation_response, octets, seal
from serial_ends import Bridge, Cable, QuickSerialLine, SerialPartner
from world import DEFAULT, HERE, PARAMS, PATIENCE, SECRETS, WORLD, run


class Serial(unittest.TestCase):
    """The Python guest's serial line, over a pty."""

    def test_bridge_to_proxies(self):
        """A tty at the guest, a unix socket at the proxy (end of section 12.3), with noise before."""
        for program in (WORLD.real, WORLD.python):
            with self.subTest(proxy=program.socket), Bridge(program.socket, b"boot messages\r\n") as bridge:
                result = run(sys.executable, os.path.join(HERE, "guest.py"), "--serial", bridge.device, "--firmware",
                             "unix:" + WORLD.firmware, "--timeout", str(PATIENCE))
                self.assertEqual((result.returncode, result.stdout), (0, SECRETS[DEFAULT]))

    def test_repetition(self):
        """No answer: the guest repeats frame 1, and drops the second of two answers."""
        def script(line):
            first = line.read_frame()
            assert line.read_frame() == first
            response = compact(negotiation_response({}))
            line.write_frame(response)
            line.write_frame(response.replace(b":[", b": ["))  # the same challenge, other octets
            line.write_frame(compact(seal(json.loads(line.read_frame()))))
        partner = SerialPartner(script)
        self.assertEqual(partner.attest(), b"sealed by the host")
        self.assertIsNone(partner.failure)

    def check_failure(self, script, code, **options):
        with self.assertRaises(wire.Failure) as caught:
            SerialPartner(script, **options).attest()
        self.assertEqual(caught.exception.code, code)

    def test_more_answers_than_repetitions(self):
        def script(line):
            line.read_frame()
            for _ in range(2):
                line.write_frame(compact(negotiation_response({})))
            line.read_frame()
        self.check_failure(script, "json_missing")

    def test_another_challenge_is_not_dropped(self):
        def script(line):
            line.read_frame()
            line.read_frame()
            line.write_frame(compact(negotiation_response({})))
            line.write_frame(compact({"challenge": octets(32), "params": PARAMS}))
            line.read_frame()
        self.check_failure(script, "json_missing")

    def test_refusal_of_a_repetition(self):
        def script(line):
            line.read_frame()
            line.read_frame()
            line.write_frame(compact(negotiation_response({})))
            line.write_frame(compact(error("attempts_exhausted")))
            line.read_frame()
        self.check_failure(script, "attempts_exhausted")

    def test_line_noise(self):
        class Noisy(QuickSerialLine):
            QUIET, QUIET_MOST = 0.5, 1.5

        def script(line):
            for _ in range(20):
                line.write(b"noise")
                time.sleep(0.1)
        self.check_failure(script, "line_noise", line=Noisy)

    def test_silence_after_lost_step(self):
        begun = []

        def script(line):
            line.read_frame()
            line.write(bytes(8))
            begun.append(time.monotonic())
        self.check_failure(script, "frame_empty", line=guest.SerialLine)
        self.assertGreaterEqual(time.monotonic() - begun[0], 0.9)

    def test_real_proxy_on_a_tty(self):
        with Cable() as cable:
            program = WORLD.start_real_proxy(WORLD.url, line="--serial", at=cable.proxy)
            result = run(sys.executable, os.path.join(HERE, "guest.py"), "--serial", cable.guest, "--firmware",
                         "unix:" + WORLD.firmware, "--timeout", str(PATIENCE))
            self.assertEqual((result.returncode, result.stdout), (0, SECRETS[DEFAULT]))
            self.assertEqual(program.stop(), 0)

    def test_real_proxy_behind_a_machines_socket(self):
        """--unix-serial: the guest has a tty, its machine's other end is a socket, and the proxy skips the noise."""
        program = WORLD.start_real_proxy(WORLD.url, line="--unix-serial")
        with Bridge(program.socket, b"boot messages\r\n", to_proxy=b"kernel: \x1f\0\0 more of them\r\n") as bridge:
            result = run(sys.executable, os.path.join(HERE, "guest.py"), "--serial", bridge.device, "--firmware",
                         "unix:" + WORLD.firmware, "--timeout", str(PATIENCE))
            self.assertEqual((result.returncode, result.stdout), (0, SECRETS[DEFAULT]))
