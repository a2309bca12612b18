# SPDX-License-Identifier: Apache-2.0
"""The proxy's rules of section 12.3, of both proxies; and attest-guest's, opposite the proxy that it does not know."""

import functools
import os
import select
import time
import unittest

import wire
from hosts import RawGuest
from messages import compact, evidence, request_ext
from serial_ends import Bridge, Cable
from wire import frame
from world import DEFAULT, OWN, PATIENCE, REQUEST_1, SECRETS, WORLD, real_guest

class RealGuest(unittest.TestCase):
    """attest-guest over ptys, proxy.py at the far end if nothing else is said."""

    def attest(self, cable, start=WORLD.start_python_proxy):
        with cable:
            program = start(WORLD.url, line="--serial", at=cable.proxy)
            found = real_guest(cable.guest, line="--serial")
            self.assertEqual(program.stop(), 0)
        self.assertEqual(found, (0, None, SECRETS[DEFAULT]))
        return program.events()

    def test_release(self):
        self.assertEqual(self.attest(Cable()).count('"released"'), 1)

    def test_lost_frame(self):
        """The whole first frame is lost: the guest writes it again."""
        self.assertEqual(self.attest(Cable(loses=len(frame(REQUEST_1)))).count('"released"'), 1)

    def test_lost_octets(self):
        """The first 20 octets of frame 1 are lost: what is left is noise, and the guest writes the frame again."""
        for start in (WORLD.start_real_proxy, WORLD.start_python_proxy):
            with self.subTest(start.__name__):
                self.assertEqual(self.attest(Cable(loses=20), start).count('"released"'), 1)

    def test_late_frames(self):
        """Both frames 1 arrive at once: the proxy answers both, and the guest drops the second answer."""
        self.assertEqual(self.attest(Cable(delay=6.0)).count('"released"'), 1)

    def test_noise_before(self):
        program = WORLD.start_python_proxy(WORLD.url, line="--unix-serial")
        with Bridge(program.socket, b"boot messages\r\n", to_proxy=b"kernel: \x1f\0\0 more of them\r\n") as bridge:
            self.assertEqual(real_guest(bridge.device, line="--serial"), (0, None, SECRETS[DEFAULT]))

    def test_machine_starts_again(self):
        """A guest that died between frames 2 and 3: its successor gets the challenge that was not used."""
        with Cable() as cable:
            program = WORLD.start_python_proxy(WORLD.url, line="--serial", at=cable.proxy)
            dead = os.open(cable.guest, os.O_RDWR | os.O_NOCTTY)
            line = wire.Line(dead, time.monotonic() + PATIENCE)
            line.write_frame(REQUEST_1)
            self.assertIn(b"challenge", line.read_frame())
            os.close(dead)
            self.assertEqual(real_guest(cable.guest, line="--serial"), (0, None, SECRETS[DEFAULT]))
            self.assertEqual(program.stop(), 0)


def at_both(*options):
    """The test runs with a fresh line to each proxy, started with these options."""
    def decorate(test):
        @functools.wraps(test)
        def each(self):
            for name, start in (("attest-proxy", WORLD.start_real_proxy), ("proxy.py", WORLD.start_python_proxy)):
                program = start(WORLD.url, *options, line="--unix-serial")
                with self.subTest(proxy=name), RawGuest(program.socket) as raw:
                    test(self, raw, program)
                self.assertEqual(program.stop(), 0)
        return each
    return decorate


class Rules(unittest.TestCase):
    """What a proxy does at the far end of a serial line, octet by octet. Each test holds for both proxies."""

    def silent(self, raw, seconds):
        return not raw.line.wait(select.POLLIN, time.monotonic() + seconds)

    def code(self, raw, octets):
        return raw.ask(octets)["ext"]["error"]["code"]

    def ask_anew(self, raw, octets):
        """As a guest begins an attempt after another: rule 1 of the guest wants 20 ms of silence before."""
        self.assertTrue(self.silent(raw, 0.1))
        return raw.ask(octets)

    @at_both()
    def test_same_request_again(self, raw, _):
        """Rule 2: the same octets."""
        raw.line.write(frame(REQUEST_1))
        first = raw.line.read_frame()
        raw.line.write(frame(REQUEST_1))
        self.assertEqual(raw.line.read_frame(), first)

    @at_both()
    def test_another_request(self, raw, _):
        """Rule 2: another session, and the evidence has to fit that one."""
        first = raw.ask(frame(REQUEST_1))
        second = raw.ask(request_ext(resource=OWN))
        self.assertNotEqual(first["challenge"], second["challenge"])
        self.assertEqual(second["ext"]["accepted"]["resource"], OWN)

    @at_both()
    def test_restarts_are_attempts(self, raw, _):
        """Rule 2: each takes one from the peer's budget, 16 at once (annex B); a serial line is then idle."""
        for _ in range(16):
            self.assertIn("challenge", raw.ask(frame(REQUEST_1)))
        self.assertEqual(self.code(raw, frame(REQUEST_1)), "attempts_exhausted")
        self.assertEqual(self.ask_anew(raw, frame(REQUEST_1))["ext"]["error"]["code"], "attempts_exhausted")

    @at_both()
    def test_as_much_noise_as_is_skipped(self, raw, _):
        """Rule 1."""
        self.assertIn("challenge", raw.ask(b"#" * 4096 + frame(REQUEST_1)))

    @at_both()
    def test_more_noise(self, raw, program):
        """Rule 1: nothing is told; rule 4: after 500 ms of silence the line is idle."""
        raw.line.write(b"#" * 5000 + frame(REQUEST_1))
        self.assertTrue(self.silent(raw, 1.0))
        self.assertIn("line_noise", program.events())
        self.assertIn("challenge", raw.ask(frame(REQUEST_1)))

    @at_both()
    def test_little_noise(self, raw, program):
        """Rule 1: when nothing came for 5 s it is dropped, in silence, and the line is idle."""
        raw.line.write(frame(REQUEST_1)[:3])
        self.assertTrue(self.silent(raw, 6.0))
        self.assertIn("line_noise", program.events())
        self.assertIn("challenge", raw.ask(frame(REQUEST_1)))

    @at_both()
    def test_length_alone(self, raw, _):
        """Rule 1: only the brace is missing, so the guest is told."""
        raw.line.write(b"kernel: " + frame(REQUEST_1)[:8])
        self.assertTrue(self.silent(raw, 4.0))
        self.assertEqual(raw.read()["ext"]["error"]["code"], "guest_timeout")

    @at_both()
    def test_noise_within(self, raw, _):
        """Rule 4: one error frame, then silence, and what comes before 500 ms of it is dropped."""
        raw.ask(frame(REQUEST_1))
        self.assertEqual(self.code(raw, bytes(8)), "malformed_request")
        for _ in range(4):
            raw.line.write(frame(REQUEST_1))
            self.assertTrue(self.silent(raw, 0.2))
        time.sleep(0.6)
        self.assertIn("challenge", raw.ask(frame(REQUEST_1)))

    @at_both("--timeout", "1")
    def test_half_a_frame(self, raw, _):
        """Rule 4: the deadline ends it."""
        raw.line.write(frame(REQUEST_1)[:20])
        self.assertEqual(raw.read()["ext"]["error"]["code"], "guest_timeout")
        time.sleep(0.6)
        self.assertIn("challenge", raw.ask(frame(REQUEST_1)))

    @at_both()
    def test_refusal_keeps_the_line(self, raw, _):
        """Rule 5 and section 11.2: what was read whole leaves the line in step."""
        self.assertEqual(self.code(raw, request_ext(key="P-256")), "terms_refused")
        self.assertIn("challenge", self.ask_anew(raw, frame(REQUEST_1)))
        response = raw.ask(frame(compact({"tee": "snp"})))
        self.assertEqual((response["success"], response["ext"]["error"]["phase"]), (False, "attestation"))
        self.assertIn("challenge", self.ask_anew(raw, frame(REQUEST_1)))

    @at_both()
    def test_refusal_answers_what_waits(self, raw, _):
        """Rule 3: one refusal for all of the repetitions that are there."""
        raw.line.write(request_ext(key="P-256") * 3)
        self.assertEqual(raw.read()["ext"]["error"]["code"], "terms_refused")
        self.assertTrue(self.silent(raw, 0.5))

    @at_both()
    def test_evidence_after_a_restart(self, raw, _):
        """Rule 2: the broker's session is the one that is still unused, and its refusal leaves the line in step."""
        raw.ask(frame(REQUEST_1))
        challenge = raw.ask(frame(REQUEST_1))["challenge"]
        response = raw.ask(frame(compact(evidence(challenge))))
        self.assertEqual(response["ext"]["error"]["code"], "attestation_refused")
        self.assertIn("challenge", self.ask_anew(raw, frame(REQUEST_1)))
