# SPDX-License-Identifier: Apache-2.0
"""What proxies make of brokers."""

import contextlib
import json
import socket
import unittest

import guest
from brokers import BROKEN_BROKERS, CHUNKED, BrokenBroker, auth, jwe, kbs_error, token
from hosts import RawGuest
from messages import compact, evidence, octets
from wire import frame
from world import DEFAULT, REQUEST_1, WORLD


class BrokenBrokers(unittest.TestCase):
    """Annex A: what the broker answers and what the guest is told."""

    def setUp(self):
        self.broker = BrokenBroker()
        self.addCleanup(self.broker.close)
        self.programs = [start(self.broker.url) for start in (WORLD.start_real_proxy, WORLD.start_python_proxy)]

    def attempt(self, program, answers):
        self.broker.script(answers)
        with RawGuest(program.socket) as raw:
            response = raw.ask(frame(REQUEST_1))
            if "challenge" not in response:
                return response
            return raw.ask(frame(compact(evidence(response["challenge"]))))

    def test_codes(self):
        for program in self.programs:
            for name, (answers, code) in BROKEN_BROKERS.items():
                with self.subTest(name, proxy=program.log):
                    found = self.attempt(program, answers)
                    self.assertEqual(found.get("ext", {}).get("error", {}).get("code"), code)
                    self.assertNotIn("words of the broker", compact(found).decode())
                    self.assertNotIn("FooTokenNotFound", compact(found).decode())
                    self.assertEqual(found.get("success", False), code is None)
                    self.assertEqual(self.broker.answers, [])

    def test_cut_off(self):
        """An answer cut short, wherever that is."""
        for program in self.programs:
            for name, cut in (("body", auth()[:-5]), ("chunks", CHUNKED[:-5]), ("head", auth()[:25])):
                with self.subTest(name, proxy=program.log):
                    found = self.attempt(program, [cut])
                    self.assertEqual(found["ext"]["error"]["code"], "broker_unreachable")

    def test_requests(self):
        """Method, path, headers and bodies; the token is left out where it does not fit."""
        for program in self.programs:
            with self.subTest(proxy=program.log):
                found = self.attempt(program, [auth(), token(), kbs_error(401, "TokenNotFound"), jwe()])
                self.assertEqual(found["token"], {"Jwt": "t0ken"})
                self.check_requests(self.broker.requests)
                found = self.attempt(program, BROKEN_BROKERS["token that does not fit"][0])
                self.assertIsNone(found["token"])

    def check_requests(self, requests):
        first, second, third, fourth = requests
        self.assertEqual([request[0] for request in requests], [
            "POST /base/kbs/v0/auth HTTP/1.1", "POST /base/kbs/v0/attest HTTP/1.1",
            *[f"GET /base/kbs/v0/resource/{DEFAULT} HTTP/1.1"] * 2])
        for _, headers, _ in requests:
            self.assertEqual(headers["accept"], "application/json")
            self.assertIn(headers.get("accept-encoding", "identity"), ("", "identity"))
        self.assertEqual([request[1].get("content-type") for request in requests],
                         ["application/json", "application/json", None, None])
        self.assertEqual([request[1].get("cookie") for request in requests],
                         [None, "kbs-session-id=c00c1e", "kbs-session-id=c00c1e", None])
        self.assertEqual([request[1].get("authorization") for request in requests], [None, None, None, "Bearer t0ken"])
        self.assertEqual(first[2], b'{"version":"0.4.0","tee":"snp","extra-params":""}')
        body = json.loads(second[2])
        key = body["runtime-data"].pop("tee-pubkey")
        self.assertEqual({name: key[name] for name in ("kty", "crv", "alg")},
                         {"kty": "EC", "crv": "P-521", "alg": guest.ALGORITHM})
        self.assertRegex(key["x"] + key["y"], "^[A-Za-z0-9_-]{176}$")
        self.assertEqual(body, {
            "init-data": None, "runtime-data": {"nonce": "A" * 43 + "="},
            "tee-evidence": {"primary_evidence": {"certs-buf": None, "snp-report": octets(1184)},
                             "additional_evidence": ""}})

    def test_silent_broker(self):
        with socket.create_server(("127.0.0.1", 0)) as silent, contextlib.ExitStack() as stack:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}"
            lines = []
            for start in (WORLD.start_real_proxy, WORLD.start_python_proxy):
                lines.append(stack.enter_context(RawGuest(start(url, "--timeout", "1").socket)))
                lines[-1].line.write(frame(REQUEST_1))
            for raw in lines:
                self.assertEqual(raw.read()["ext"]["error"]["code"], "broker_timeout")
