# SPDX-License-Identifier: Apache-2.0
"""A proxy of the guest <-> proxy protocol 0.1.0 on a unix socket, written from docs/protocol.md alone.

It carries attestations to a broker that speaks the KBS protocol 0.4.0 (annex A). One thread serves one line.
"""

import argparse
import dataclasses
import hashlib
import ipaddress
import json
import os
import select
import signal
import socket
import sys
import threading
import time
import urllib.parse

import wire
from bounds import Budget, Sessions
from broker import Broker
from wire import Failure, Line

ERROR_SECONDS = 2.0
QUEUE_SECONDS = 5.0
STOP_SECONDS = 5.0


@dataclasses.dataclass
class Settings:
    url: str
    unix: str
    resource: str = wire.DEFAULT_TERMS["resource"]
    allowed: tuple = ()
    ca: str = None
    insecure_http: bool = False
    timeout: float = 30.0
    max_sessions: int = 128
    max_lines: int = 256

    def check(self):
        parts = urllib.parse.urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Failure("bad_config", "--url")
        if parts.username or parts.query or parts.fragment:
            raise Failure("bad_config", "--url")
        if parts.scheme == "http" and not self.insecure_http and not is_loopback(parts.hostname):
            raise Failure("bad_config", "--url", "http is for loopback")
        if not all(wire.is_resource(resource) for resource in (self.resource, *self.allowed)):
            raise Failure("bad_config", "--resource")
        self.allowed = self.allowed or (self.resource,)


def is_loopback(host):
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


# The protocol


def read_negotiation_request(message):
    """Section 4: the guest's terms, or None if it stated none."""
    version = wire.required(message, "version", list)
    numbers = [wire.u32(number, "version") for number in version]
    if len(numbers) != 3:
        raise Failure("bad_length", "version")
    if numbers != [0, 1, 0]:
        raise Failure("version_unsupported", "version")
    tee = wire.one_of(message, "tee", wire.TEES)
    ext = wire.optional(message, "ext", dict)
    terms = None if ext is None else wire.read_terms(ext, "ext.")
    if tee != "snp":
        raise Failure("tee_unsupported", "tee")
    return terms


def read_attestation_request(message):
    """Section 7."""
    tee = wire.one_of(message, "tee", wire.TEES)
    evidence = wire.required(message, "evidence", dict)
    if evidence and list(evidence) != ["Snp"]:
        raise Failure("bad_value", "evidence")
    snp = wire.required(evidence, "Snp", dict, "evidence.")
    at = "evidence.Snp."
    report = wire.fixed(snp, "report", wire.REPORT_OCTETS, at)
    certs = wire.optional(snp, "certs_buf", str, at)
    if certs is not None:
        certs = wire.bounded(certs, wire.CERTS_MAX, at + "certs_buf")
    challenge = wire.from_base64(wire.required(message, "challenge", str), "challenge")
    if not wire.CHALLENGE_MIN <= len(challenge) <= wire.CHALLENGE_MAX:
        raise Failure("bad_length", "challenge")
    key = wire.required(message, "key", dict)
    x, y = wire.fixed(key, "x", wire.COORDINATE, "key."), wire.fixed(key, "y", wire.COORDINATE, "key.")
    if tee != "snp":
        raise Failure("tee_unsupported", "tee")
    return {"report": report, "certs_buf": certs, "challenge": challenge, "x": x, "y": y}


def mismatch(request, challenge):
    """What section 7 wants named in the detail of a later refusal."""
    if request["challenge"] != challenge:
        return "the guest echoed another challenge"
    expected = hashlib.sha512(request["x"] + request["y"] + challenge).digest()
    if request["report"][0x50:0x90] != expected:
        return "REPORT_DATA does not bind this key and challenge"
    return ""


def error_message(code, phase, detail):
    error = {"ext": {"error": {"code": code, "phase": phase, "detail": wire.printable(detail)}}}
    if phase == "attestation":
        error = {"success": False, "decryption": None, "token": None, **error}
    return error


def to_body(message):
    return json.dumps(message, separators=(",", ":")).encode()


class Attempt:
    """What is known of one attempt."""

    def __init__(self):
        self.phase, self.name, self.note = "negotiation", "", ""


class Proxy:
    """Listens and serves. The `make_` methods are what a hostile variant changes."""

    def __init__(self, settings):
        settings.check()
        self.settings, self.sessions = settings, Sessions(settings.max_sessions)
        self.listener, self.threads, self.brokers = None, set(), set()
        # A closed pipe is readable for all who wait: `idle` ends lines without an attempt, `end` all others.
        self.idle, self.idle_writer = os.pipe()
        self.end, self.end_writer = os.pipe()
        self.stopping = self.ending = False

    def log(self, event, **members):
        print(json.dumps({"event": event, **members}), file=sys.stderr, flush=True)

    # Frames 2 and 4

    def make_negotiation_response(self, challenge, terms):
        response = {"challenge": wire.to_base64(challenge), "params": wire.PARAMS}
        if terms is not None:
            response["ext"] = {"accepted": terms}
        return response

    def make_attestation_response(self, jwe, token):
        decryption = {
            "epk": {"x": wire.to_base64(jwe["x"]), "y": wire.to_base64(jwe["y"])},
            "wrapped_cek": wire.to_base64(jwe["encrypted_key"]), "aad": wire.to_base64(jwe["protected"]),
            "iv": wire.to_base64(jwe["iv"]), "tag": wire.to_base64(jwe["tag"]),
        }
        return {"success": True, "secret": wire.to_base64(jwe["ciphertext"]), "decryption": decryption,
                "token": {"Jwt": token}}

    # Attempts

    def exchange(self, line, first, attempt):
        terms = read_negotiation_request(wire.parse(line.read_frame(first)))
        if terms is not None:
            if (terms["binding"], terms["key"]) != ("svsm-sha512", "P-521"):
                raise Failure("terms_refused", "ext")
            if terms["resource"] not in self.settings.allowed:
                raise Failure("resource_refused", "ext.resource")
        broker = Broker(self.settings, line.deadline, self.brokers)
        nonce, challenge = broker.auth()
        attempt.name = hashlib.sha256(challenge).hexdigest()[:16]
        self.send(line, self.make_negotiation_response(challenge, terms))

        attempt.phase = "attestation"
        request = read_attestation_request(wire.parse(line.read_frame()))
        attempt.note = mismatch(request, challenge)
        if attempt.note:
            self.log("mismatch", attestation=attempt.name, detail=attempt.note)
        token = broker.attest(nonce, request)
        jwe = broker.resource(terms["resource"] if terms else self.settings.resource, token)
        response = self.make_attestation_response(jwe, token)
        if len(to_body(response)) > wire.FRAME_MAX:
            response["token"] = None
        self.send(line, response)
        self.log("released", attestation=attempt.name)

    @staticmethod
    def send(line, message):
        """After a failure in here part of a frame may have been sent: no error frame may follow."""
        try:
            line.write_frame(to_body(message))
        except Failure as failure:
            raise Unanswerable(failure.code) from None

    def serve_attempt(self, line, budget):
        """One attempt; says whether the line can carry another."""
        attempt = Attempt()
        line.deadline, line.cancel = None, self.idle
        try:
            first = line.read_some(1)
        except Failure:
            return False
        if not first:
            return False
        line.deadline, line.cancel = time.monotonic() + self.settings.timeout, self.end
        try:
            budget.take()
            self.sessions.take(QUEUE_SECONDS)
            try:
                self.exchange(line, first, attempt)
            finally:
                self.sessions.give()
            return True
        except Unanswerable as failure:
            self.log("lost", attestation=attempt.name, code=str(failure))
            return False
        except Failure as failure:
            return self.refuse(line, attempt, failure) and not failure.lost
        except Exception as error:  # a defect must not take the line's error frame with it
            self.log("internal", attestation=attempt.name, detail=type(error).__name__)
            self.refuse(line, attempt, Failure("proxy_internal"))
            return False

    def refuse(self, line, attempt, failure):
        """Sends the error frame of section 10.2; says whether that worked."""
        code = failure.code
        if self.ending and code.startswith("broker_"):
            code = "proxy_stopping"
        elif code == "deadline":
            code = "guest_timeout"
        elif code not in wire.WIRE_CODES:
            code = "malformed_request"
        reason = failure.at if code == failure.code else str(failure)
        detail = "; ".join(part for part in (reason, attempt.note) if part)
        self.log("refused", attestation=attempt.name, code=code, phase=attempt.phase, detail=detail)
        line.cancel = None
        line.deadline += ERROR_SECONDS
        if self.ending:
            line.deadline = time.monotonic() + ERROR_SECONDS
        try:
            self.send(line, error_message(code, attempt.phase, detail))
            return True
        except Unanswerable:
            return False

    # Lines

    def serve_line(self, connection):
        try:
            with connection:
                line, budget = Line(connection.fileno()), Budget()
                while not self.stopping and self.serve_attempt(line, budget):
                    pass
        finally:
            self.threads.discard(threading.current_thread())

    def accept(self):
        poller = select.poll()
        poller.register(self.listener, select.POLLIN)
        poller.register(self.idle, select.POLLIN)
        while not self.stopping:
            poller.poll()
            try:
                connection = self.listener.accept()[0]
            except BlockingIOError:
                continue
            except OSError:
                time.sleep(0.1)  # out of descriptors: some line will end
                continue
            if len(self.threads) >= self.settings.max_lines:
                self.turn_away(connection)
                continue
            thread = threading.Thread(target=self.serve_line, args=(connection,), daemon=True)
            self.threads.add(thread)
            thread.start()

    @staticmethod
    def turn_away(connection):
        with connection:
            body = to_body(error_message("proxy_busy", "negotiation", "no line is free"))
            try:
                Line(connection.fileno(), time.monotonic()).write_frame(body)
            except Failure:
                pass

    def start(self):
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        mask = os.umask(0o177)
        try:
            self.listener.bind(self.settings.unix)
        finally:
            os.umask(mask)
        self.listener.listen(64)
        self.listener.setblocking(False)
        self.acceptor = threading.Thread(target=self.accept, daemon=True)
        self.acceptor.start()

    def stop(self, seconds=STOP_SECONDS):
        """Running attempts get `seconds`, then they are told proxy_stopping."""
        self.stopping = True
        os.close(self.idle_writer)
        self.acceptor.join()
        self.listener.close()
        os.unlink(self.settings.unix)
        self.join(seconds)
        self.ending = True
        os.close(self.end_writer)
        for connection in list(self.brokers):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.join(ERROR_SECONDS + 1)
        if not self.threads:
            os.close(self.idle)
            os.close(self.end)

    def join(self, seconds):
        limit = time.monotonic() + seconds
        for thread in list(self.threads):
            thread.join(max(0, limit - time.monotonic()))


class Unanswerable(Exception):
    """The line failed while a frame was being sent."""


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Carry attestations of SEV-SNP guests to a key broker.")
    parser.add_argument("--url", required=True, help="the broker; http is for loopback")
    parser.add_argument("--unix", metavar="PATH", required=True, help="listen on this socket, mode 0600")
    parser.add_argument("--resource", default=wire.DEFAULT_TERMS["resource"], help="for guests that state none")
    parser.add_argument("--allow-resource", action="append", default=[], help="a guest may state this; repeatable")
    parser.add_argument("--ca", metavar="FILE", help="PEM roots for https")
    parser.add_argument("--timeout", type=float, default=30.0, help="seconds for one attempt")
    parser.add_argument("--max-sessions", type=int, default=128, help="attempts at once")
    parser.add_argument("--insecure-http", action="store_true", help="allow http to other hosts")
    options = parser.parse_args(arguments)
    settings = Settings(options.url, options.unix, options.resource, tuple(options.allow_resource), options.ca,
                        options.insecure_http, options.timeout, options.max_sessions)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})  # inherited by every thread
    try:
        proxy = Proxy(settings)
        proxy.start()
    except Failure as failure:
        print(failure, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"io_failed: {error.strerror}", file=sys.stderr)
        return 3
    print(f"ready unix:{settings.unix}", flush=True)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    proxy.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
