# SPDX-License-Identifier: Apache-2.0
"""What proxies make of hostile guests."""

import contextlib
import socket
import unittest

from hosts import RawGuest
from messages import compact, evidence, request_ext
from violations import BAD_EVIDENCE, BAD_REQUESTS
from wire import frame
from world import REQUEST_1, WORLD, inner_guest


class HostileGuests(unittest.TestCase):
    """One violation in frame 1 or 3: one error frame with the code of the document, in the right phase."""

    def check(self, answer, phase, code, detail):
        self.assertEqual(set(answer), {"ext"} if phase == "negotiation" else {"success", "decryption", "token", "ext"})
        found = answer["ext"]["error"]
        self.assertEqual((found["code"], found["phase"]), (code, phase))
        self.assertIn(detail.lower(), found["detail"].lower())
        self.assertRegex(found["detail"], "^[ -~]{0,200}$")

    def test_negotiation(self):
        for program in (WORLD.real, WORLD.python):
            for name, (octets_sent, code, detail, closes) in BAD_REQUESTS.items():
                with self.subTest(name, proxy=program.socket), RawGuest(program.socket) as raw:
                    self.check(raw.ask(octets_sent), "negotiation", code, detail)
                    self.assertEqual(raw.is_closed(), closes)

    def test_evidence(self):
        for program in (WORLD.real, WORLD.python):
            for name, (change, code, detail, closes) in BAD_EVIDENCE.items():
                with self.subTest(name, proxy=program.socket), RawGuest(program.socket) as raw:
                    sent = change(evidence(raw.ask(frame(REQUEST_1))["challenge"]))
                    answer = raw.ask(sent if isinstance(sent, bytes) else frame(compact(sent)))
                    # Programs word a mismatch of REPORT_DATA as they like, so case and `_` are all that is compared.
                    self.check(answer, "attestation", code, detail)
                    self.assertEqual(raw.is_closed(), closes)

    def test_half_a_frame(self):
        for program in (WORLD.real, WORLD.python):
            for begun, phase in ((b"", "negotiation"), (frame(REQUEST_1), "attestation")):
                with self.subTest(phase, proxy=program.socket), RawGuest(program.socket) as raw:
                    if begun:
                        raw.ask(begun)
                    raw.line.write(b"\x10\0\0")
                    raw.socket.shutdown(socket.SHUT_WR)
                    self.check(raw.read(), phase, "malformed_request", "truncated")

    def test_silence(self):
        programs = [start(WORLD.url, "--timeout", "1") for start in (WORLD.start_real_proxy, WORLD.start_python_proxy)]
        with contextlib.ExitStack() as stack:
            lines = [stack.enter_context(RawGuest(program.socket)) for program in programs]
            for raw in lines:
                raw.line.write(frame(REQUEST_1)[:20])
            for raw in lines:
                self.check(raw.read(), "negotiation", "guest_timeout", "")
                self.assertTrue(raw.is_closed())

    def test_silence_costs_others_nothing(self):
        with RawGuest(WORLD.python.socket) as raw:
            raw.line.write(b"\x1f")
            self.assertEqual(inner_guest(WORLD.python.socket)[0], 0)

    def test_octet_by_octet(self):
        for program in (WORLD.real, WORLD.python):
            with RawGuest(program.socket) as raw:
                for octet in frame(REQUEST_1):
                    raw.line.write(bytes([octet]))
                self.assertIn("challenge", raw.read())

    def test_attempts_run_out(self):
        """Section 11.5, with the default of annex B."""
        for program in (WORLD.python, WORLD.real):
            with self.subTest(proxy=program.socket), RawGuest(program.socket) as raw:
                codes = [raw.ask(request_ext(key="P-256"))["ext"]["error"]["code"] for _ in range(17)]
                self.assertEqual(codes, ["terms_refused"] * 16 + ["attempts_exhausted"])

    def test_attempts_as_the_operator_said(self):
        program = WORLD.start_real_proxy(WORLD.url, "--attempts", "2", "--attempt-interval", "3600")
        with RawGuest(program.socket) as raw:
            codes = [raw.ask(request_ext(key="P-256"))["ext"]["error"]["code"] for _ in range(3)]
            self.assertEqual(codes, ["terms_refused"] * 2 + ["attempts_exhausted"])
        with RawGuest(program.socket) as other:
            self.assertIn("challenge", other.ask(frame(REQUEST_1)))
