# SPDX-License-Identifier: Apache-2.0
"""What guests make of hostile hosts."""

import json
import unittest
import unittest.mock

import wire
from hosts import ImpatientProxy, ScriptedProxy, Variant, host_key_substitution
from messages import changed, compact, error, flipped, negotiation_response, octets, seal
from violations import BAD_ACCEPTANCES, BAD_ANSWERS, BAD_NEGOTIATIONS
from wire import frame, to_base64, to_base64url
from world import DEFAULT, GUESTS, OWN, WORLD, binary


class Attacks(unittest.TestCase):
    """Hostile variants of the Python proxy with the real broker behind them."""

    def check(self, expected, **changes):
        with Variant(**changes) as path:
            for name, run_guest in GUESTS.items():
                with self.subTest(guest=name):
                    self.assertEqual(run_guest(path), (5, expected, None))

    def test_host_key_substitution(self):
        # Its challenge is too long as well; section 5 has the params judged first.
        self.check("host_chosen_params", negotiation=host_key_substitution)

    def test_host_chosen_params(self):
        self.check("host_chosen_params", negotiation=lambda message, _: {**message, "params": ["Challenge"]})

    def test_flipped_ciphertext(self):
        self.check("tag_failed", attestation=lambda message: {**message, "secret": flipped(message["secret"])})

    def test_rewritten_header(self):
        def rewrite(message):
            header = json.loads(wire.from_base64url(wire.from_base64(message["decryption"]["aad"], "").decode(), ""))
            aad = to_base64url(json.dumps(header, separators=(", ", ": ")).encode())
            return changed(message, "decryption.aad", to_base64(aad.encode()))
        self.check("tag_failed", attestation=rewrite)

    def test_old_challenge(self):
        with Variant(negotiation=lambda message, _: {**message, "challenge": octets(32)}) as path:
            for name, run_guest in GUESTS.items():
                with self.subTest(guest=name):
                    self.assertEqual(run_guest(path), (1, "attestation_refused", None))


class HostileProxies(unittest.TestCase):
    """One violation in frame 2 or 4: the guest ends with the code of the document and its exit status."""

    def check(self, name, negotiate, attest, code, resource=DEFAULT):
        for guest_name, run_guest in GUESTS.items():
            with self.subTest(name, guest=guest_name), ScriptedProxy(negotiate, attest) as host:
                self.assertEqual(run_guest(host.path, resource), (wire.exit_status(code), code, None))

    def test_negotiation(self):
        for name, (answer, code) in BAD_NEGOTIATIONS.items():
            self.check(name, lambda request, answer=answer: answer, seal, code)

    def test_acceptance(self):
        for name, (answer, code) in BAD_ACCEPTANCES.items():
            self.check(name, answer, seal, code, OWN)

    def test_answer(self):
        for name, (answer, code) in BAD_ANSWERS.items():
            self.check(name, negotiation_response, answer, code)

    def test_answer_before_the_question(self):
        """A proxy may refuse before it has read and close: the guest's write fails, yet the answer is there."""
        body = frame(compact(error("proxy_busy")))
        for name, run_guest in GUESTS.items():
            with self.subTest(guest=name), ImpatientProxy(body) as host:
                self.assertEqual(run_guest(host.path)[:2], (3, "proxy_busy"))

    def test_accepted_is_not_looked_at(self):
        def negotiate(request):
            return {**negotiation_response(request), "ext": {"accepted": [None, 5]}, "unknown": [{}]}
        for name, run_guest in GUESTS.items():
            with self.subTest(guest=name), ScriptedProxy(negotiate, seal) as host:
                self.assertEqual(run_guest(host.path)[0], 0)


class FirmwareFaults(unittest.TestCase):
    """What the host's side of the firmware may do, and the guest's code."""

    FAULTS = {"1:busy": None, "1:firmware_status": "firmware_refused", "1:flip_bit:3": "firmware_reply",
              "1:flip_bit:256": "firmware_reply", "1:flip_bit:1000": "firmware_reply", "1:wrong_page": "firmware_reply"}

    def test_faults(self):
        for fault, code in self.FAULTS.items():
            program = WORLD.start(binary("snp-sim"), "serve", "--unix", WORLD.fresh("faulty"), "--fault", fault)
            for name, run_guest in GUESTS.items():
                with self.subTest(fault, guest=name), ScriptedProxy(negotiation_response, seal) as host, \
                        unittest.mock.patch.object(WORLD, "firmware", program.ready[1][len("unix:"):]):
                    self.assertEqual(run_guest(host.path)[:2], (4 if code else 0, code))
