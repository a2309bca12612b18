# SPDX-License-Identifier: Apache-2.0
"""A proxy of the guest <-> proxy protocol 0.1.0 on unix sockets and serial lines, written from docs/protocol.md alone.

It carries attestations to a broker that speaks the KBS protocol 0.4.0 (annex A). One thread serves one line.
"""

import argparse
import dataclasses
import hashlib
import ipaddress
import json
import os
import signal
import socket
import sys
import time
import urllib.parse

import wire
from bounds import Budget, Sessions
from broker import Broker
from doors import Doors, open_device
from proxy_messages import error_message, mismatch, read_attestation_request, read_negotiation_request, to_body
from serial_line import Noisy, SerialAttempts, SerialLine
from wire import Failure, Line

ERROR_SECONDS = 2.0
QUEUE_SECONDS = 5.0
STOP_SECONDS = 5.0


@dataclasses.dataclass
class Settings:
    url: str
    unix: str = None
    unix_serial: str = None
    serial: str = None
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


class Attempt:
    """What is known of one attempt."""

    def __init__(self):
        self.phase, self.name, self.note = "negotiation", "", ""


@dataclasses.dataclass
class Negotiated:
    """What frame 2 leaves for frame 3."""

    broker: Broker
    nonce: str
    challenge: bytes
    terms: dict
    response: dict


class Proxy(Doors):
    """Listens and serves. The `make_` methods are what a hostile variant changes."""

    def __init__(self, settings):
        settings.check()
        super().__init__(settings.max_lines)
        self.settings, self.sessions, self.brokers = settings, Sessions(settings.max_sessions), set()
        # A closed pipe is readable for all who wait: `idle` ends lines without an attempt, `end` all others.
        self.end, self.end_writer = os.pipe()
        self.ending = False

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

    @staticmethod
    def is_negotiation_request(body):
        try:
            read_negotiation_request(wire.parse(body))
            return True
        except Failure:
            return False

    def negotiate(self, line, body, attempt):
        """From frame 1 to frame 2."""
        terms = read_negotiation_request(wire.parse(body))
        if terms is not None:
            if (terms["binding"], terms["key"]) != ("svsm-sha512", "P-521"):
                raise Failure("terms_refused", "ext")
            if terms["resource"] not in self.settings.allowed:
                raise Failure("resource_refused", "ext.resource")
        broker = Broker(self.settings, line.deadline, self.brokers)
        nonce, challenge = broker.auth()
        attempt.name = hashlib.sha256(challenge).hexdigest()[:16]
        response = self.make_negotiation_response(challenge, terms)
        self.send(line, response)
        return Negotiated(broker, nonce, challenge, terms, response)

    def release(self, line, negotiated, body, attempt):
        """From frame 3 to frame 4."""
        request = read_attestation_request(wire.parse(body))
        attempt.note = mismatch(request, negotiated.challenge)
        if attempt.note:
            self.log("mismatch", attestation=attempt.name, detail=attempt.note)
        terms, broker = negotiated.terms, negotiated.broker
        broker.deadline = line.deadline
        token = broker.attest(negotiated.nonce, request)
        jwe = broker.resource(terms["resource"] if terms else self.settings.resource, token)
        response = self.make_attestation_response(jwe, token)
        if len(to_body(response)) > wire.FRAME_MAX:
            response["token"] = None
        self.send(line, response)
        self.log("released", attestation=attempt.name)

    def exchange(self, line, first, attempt):
        negotiated = self.negotiate(line, line.read_frame(first), attempt)
        attempt.phase = "attestation"
        self.release(line, negotiated, line.read_frame(), attempt)

    @staticmethod
    def send(line, message):
        """After a failure in here part of a frame may have been sent: no error frame may follow."""
        try:
            line.write_frame(to_body(message))
        except Failure as failure:
            raise Unanswerable(failure.code) from None

    def first_octet(self, line):
        """What ends an idle line's wait, which has no deadline; nothing if that was the line's end, or ours."""
        line.deadline, line.cancel = None, self.idle
        try:
            return line.read_some(1)
        except Failure:
            return b""

    def serve_attempt(self, line, budget):
        """One attempt; says whether the line can carry another."""
        attempt = Attempt()
        first = self.first_octet(line)
        if not first:
            return False
        line.deadline, line.cancel = time.monotonic() + self.settings.timeout, self.end

        def exchange():
            budget.take()
            self.in_session(lambda: self.exchange(line, first, attempt))
        return self.run_attempt(line, attempt, exchange)

    def in_session(self, work):
        self.sessions.take(QUEUE_SECONDS)
        try:
            work()
        finally:
            self.sessions.give()

    new_attempt = Attempt

    def run_attempt(self, line, attempt, exchange):
        """Refuses what `exchange` raises; says whether the line is still in step."""
        try:
            exchange()
            return True
        except Noisy as noise:
            self.log("lost", code="line_noise")
            return noise.again
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
            if not failure.lost:
                line.drop_waiting()
            self.send(line, error_message(code, attempt.phase, detail))
            return True
        except (Unanswerable, Failure):
            return False

    # Lines

    def serve_line(self, connection):
        line, budget = Line(connection.fileno()), Budget()
        while not self.stopping and self.serve_attempt(line, budget):
            pass

    def serve_serial(self, descriptor, for_ever=False):
        SerialAttempts(self, SerialLine(descriptor, for_ever), Budget(loses_step=False)).serve()

    def start(self):
        if self.settings.serial:
            os.close(open_device(self.settings.serial))  # later a failure is the far end's
            self.begin(lambda: self.serve_device(self.settings.serial, lambda tty: self.serve_serial(tty, True)))
        if self.settings.unix:
            self.listen(self.settings.unix, self.serve_line)
        if self.settings.unix_serial:
            self.listen(self.settings.unix_serial, lambda connection: self.serve_serial(connection.fileno()))

    def stop(self, seconds=STOP_SECONDS):
        """Running attempts get `seconds`, then they are told proxy_stopping."""
        self.shut()
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


class Unanswerable(Exception):
    """The line failed while a frame was being sent."""


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Carry attestations of SEV-SNP guests to a key broker.")
    parser.add_argument("--url", required=True, help="the broker; http is for loopback")
    parser.add_argument("--unix", metavar="PATH", help="listen on this socket, mode 0600")
    parser.add_argument("--unix-serial", metavar="PATH", help="the same, for machines that put a guest's UART there")
    parser.add_argument("--serial", metavar="DEVICE", help="a tty whose other end is a guest's")
    parser.add_argument("--resource", default=wire.DEFAULT_TERMS["resource"], help="for guests that state none")
    parser.add_argument("--allow-resource", action="append", default=[], help="a guest may state this; repeatable")
    parser.add_argument("--ca", metavar="FILE", help="PEM roots for https")
    parser.add_argument("--timeout", type=float, default=30.0, help="seconds for one attempt")
    parser.add_argument("--max-sessions", type=int, default=128, help="attempts at once")
    parser.add_argument("--insecure-http", action="store_true", help="allow http to other hosts")
    options = parser.parse_args(arguments)
    if not (options.unix or options.unix_serial or options.serial):
        parser.error("no line: --unix, --unix-serial or --serial")
    settings = Settings(options.url, options.unix, options.unix_serial, options.serial, options.resource,
                        tuple(options.allow_resource), options.ca, options.insecure_http, options.timeout,
                        options.max_sessions)
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
    lines = ("unix", settings.unix), ("unix-serial", settings.unix_serial), ("serial", settings.serial)
    print("ready", *[f"{kind}:{path}" for kind, path in lines if path], flush=True)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    proxy.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
