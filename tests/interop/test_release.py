# SPDX-License-Identifier: Apache-2.0
"""Guest and proxy, each of both kinds: the document's example, releases, refusals."""

import contextlib
import os
import re
import signal
import socket
import unittest

from cryptography.hazmat.primitives.asymmetric import ec

import guest
import proxy
import wire
from hosts import RawGuest, ScriptedProxy
from messages import compact, negotiation_response, seal
from wire import frame
from world import GUESTS, OPTIONS, PATIENCE, REQUEST_1, SECRETS, WORLD, inner_guest, python_guest, real_guest


class Documents(unittest.TestCase):
    """Annex C, if the document is at hand."""

    def setUp(self):
        if not OPTIONS.document:
            self.skipTest("no --document")
        with open(OPTIONS.document, encoding="utf-8") as file:
            text = file.read()
        self.blocks = dict(re.findall(r"```text (\S+)\n(.*?)\n```", text, re.S))
        self.values = dict(re.findall(r"\| `(\S+)` \| `([0-9a-f]+)` \|", text))
        self.key = ec.derive_private_key(int(self.values["cases/0/guest_key/d"], 16), ec.SECP521R1())

    def test_frames_of_the_guest(self):
        text = self.blocks["cases/0/frames/attestation_request/json"]
        request = proxy.read_attestation_request(wire.parse(text.encode()))
        self.assertEqual(proxy.mismatch(request, bytes.fromhex(self.values["cases/0/challenge"])), "")
        built = guest.attestation_request(request["report"], request["challenge"], request["x"], request["y"])
        self.assertEqual(built.decode(), text)
        first = frame(guest.negotiation_request(wire.DEFAULT_TERMS))
        self.assertEqual(first.hex(), self.values["cases/0/frames/negotiation_request/frame"])

    def test_opening(self):
        answer = wire.parse(self.blocks["cases/0/frames/attestation_response/json"].encode())
        secret = guest.open_secret(self.key, *guest.read_attestation_response(answer))
        self.assertEqual(secret.hex(), self.values["cases/0/plaintext"])

    def test_answer_of_the_proxy(self):
        jwe = self.blocks["cases/0/kbs_http/resource_response"].encode()
        broker = proxy.Broker(proxy.Settings("http://127.0.0.1:1", "unused"), 0, set())
        answer = proxy.Proxy.make_attestation_response(None, broker.read_jwe(broker.parse(jwe)), "test-token")
        self.assertEqual(compact(answer).decode(), self.blocks["cases/0/frames/attestation_response/json"])


class Releases(unittest.TestCase):
    """Guest and proxy, each ours and theirs, with default terms and with a stated resource."""

    def check(self, run_guest, path):
        for resource, secret in SECRETS.items():
            with self.subTest(resource=resource):
                self.assertEqual(run_guest(path, resource), (0, None, secret))

    def test_python_guest_real_proxy(self):
        self.check(python_guest, WORLD.real.socket)

    def test_real_guest_python_proxy(self):
        self.check(real_guest, WORLD.python.socket)

    def test_python_guest_python_proxy(self):
        self.check(python_guest, WORLD.python.socket)

    def test_host_seals_what_it_likes(self):
        """W2 (section 15.2): the guest opens it. This keeps `seal` honest for the tests of refusals."""
        for name, run_guest in GUESTS.items():
            with self.subTest(guest=name), ScriptedProxy(negotiation_response, seal) as host:
                self.assertEqual(run_guest(host.path), (0, None, b"sealed by the host"))

    def test_socket_is_private(self):
        for program in (WORLD.real, WORLD.python):
            self.assertEqual(os.stat(program.socket).st_mode & 0o777, 0o600)


class Refusals(unittest.TestCase):
    """A broker that says no, or nothing; both sides name the code."""

    def check(self, url, code, status):
        for name, start in (("attest-proxy", WORLD.start_real_proxy), ("proxy.py", WORLD.start_python_proxy)):
            program = start(url)
            for guest_name, run_guest in (("attest-guest", real_guest), ("guest.py", python_guest)):
                with self.subTest(proxy=name, guest=guest_name):
                    self.assertEqual(run_guest(program.socket), (status, code, None))
            self.assertIn(code, program.events())

    def test_measurement_unknown(self):
        self.check(WORLD.stranger_url, "attestation_refused", 1)
        self.assertIn("measurement_unknown", WORLD.stranger.events())

    def test_broker_down(self):
        with socket.socket() as unused:  # bound, but nobody listens
            unused.bind(("127.0.0.1", 0))
            self.check(f"http://127.0.0.1:{unused.getsockname()[1]}", "broker_unreachable", 3)

    def test_resource_not_allowed(self):
        for program in (WORLD.real, WORLD.python):
            for name, run_guest in GUESTS.items():
                with self.subTest(guest=name):
                    self.assertEqual(run_guest(program.socket, "some/other/key"), (1, "resource_refused", None))

    def test_resource_unknown_to_the_broker(self):
        path_of = (WORLD.start_real_proxy(WORLD.url, "--allow-resource", "not/at/broker"),
                   WORLD.start_python_proxy(WORLD.url, "--allow-resource", "not/at/broker"))
        for program in path_of:
            self.assertEqual(inner_guest(program.socket, "not/at/broker"), (1, "secret_refused", None))

    def test_proxy_stops(self):
        """A running attempt is told proxy_stopping, and the socket is gone."""
        programs = [start(WORLD.url) for start in (WORLD.start_real_proxy, WORLD.start_python_proxy)]
        with contextlib.ExitStack() as stack:
            lines = [stack.enter_context(RawGuest(program.socket)) for program in programs]
            for program, raw in zip(programs, lines):
                self.assertIn("challenge", raw.ask(frame(REQUEST_1)))
                program.process.send_signal(signal.SIGTERM)
            for raw in lines:
                self.assertEqual(raw.read()["ext"]["error"]["code"], "proxy_stopping")
        for program in programs:
            self.assertEqual(program.process.wait(PATIENCE), 0)
            self.assertFalse(os.path.exists(program.socket))
