# SPDX-License-Identifier: Apache-2.0
"""A proxy of the guest <-> proxy protocol 0.1.0 on a unix socket, written from docs/protocol.md alone.

It carries attestations to a broker that speaks the KBS protocol 0.4.0 (annex A). One thread serves one line.
"""

import argparse
import collections
import dataclasses
import hashlib
import http.client
import io
import ipaddress
import json
import os
import re
import select
import signal
import socket
import ssl
import sys
import threading
import time
import urllib.parse

import wire
from wire import Failure, Line

BODY_MAX = 262144
HEAD_MAX = 32768
TOKEN_MAX = 49152
CONNECT_SECONDS = 5.0
ERROR_SECONDS = 2.0
QUEUE_SECONDS = 5.0
STOP_SECONDS = 5.0
ATTEMPTS, ATTEMPT_INTERVAL = 16, 10.0


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


# The broker (annex A)


class Broker:
    """One session at the broker. `watch` keeps the sockets in use, so that a stopping proxy can end them."""

    def __init__(self, settings, deadline, watch):
        self.parts = urllib.parse.urlsplit(settings.url)
        self.ca, self.deadline, self.watch = settings.ca, deadline, watch
        self.cookie = None

    def auth(self):
        """The broker's nonce as it wrote it, and decoded."""
        status, body = self.call("POST", "/kbs/v0/auth", {"version": "0.4.0", "tee": "snp", "extra-params": ""})
        self.expect_ok(status, body, "broker_version")
        nonce = self.member(self.parse(body), "nonce", str)
        try:
            challenge = wire.from_base64(nonce, "nonce")
        except Failure:
            raise Failure("broker_nonce") from None
        if not wire.CHALLENGE_MIN <= len(challenge) <= wire.CHALLENGE_MAX:
            raise Failure("broker_nonce")
        return nonce, challenge

    def attest(self, nonce, request):
        """The broker's token."""
        key = {"kty": "EC", "crv": "P-521", "alg": "ECDH-ES+A256KW",
               "x": wire.to_base64url(request["x"]), "y": wire.to_base64url(request["y"])}
        certs = request["certs_buf"]
        evidence = {"certs-buf": None if certs is None else wire.to_base64(certs),
                    "snp-report": wire.to_base64(request["report"])}
        status, body = self.call("POST", "/kbs/v0/attest", {
            "init-data": None,
            "runtime-data": {"nonce": nonce, "tee-pubkey": key},
            "tee-evidence": {"primary_evidence": evidence, "additional_evidence": ""},
        })
        self.expect_ok(status, body, "attestation_refused")
        token = self.member(self.parse(body), "token", str)
        if not re.fullmatch("[!-~]+", token) or len(token) > TOKEN_MAX:
            raise Failure("broker_malformed", "token")
        return token

    def resource(self, path, token):
        """The members of the sealed secret, decoded."""
        target = "/kbs/v0/resource/" + path
        status, body = self.call("GET", target)
        if status == 401 and self.error_type(body) == "TokenNotFound":
            self.cookie = None
            status, body = self.call("GET", target, bearer=token)
            if status == 401 and self.error_type(body) in ("TokenNotFound", "TokenVerifierError"):
                raise Failure("session_expired")
        if status in (401, 403, 404, 417):
            raise Failure("secret_refused")
        if status == 200 and len(body) > BODY_MAX:
            raise Failure("secret_too_large")
        self.expect_ok(status, body, "broker_malformed")
        return self.read_jwe(self.parse(body))

    def read_jwe(self, jwe):
        if "aad" in jwe:
            raise Failure("broker_malformed", "aad")
        protected = self.member(jwe, "protected", str)
        header = self.decode(protected, "protected", most=wire.HEADER_MAX)
        epk = self.member(self.parse(header), "epk", dict)
        if (epk.get("kty"), epk.get("crv")) != ("EC", "P-521"):
            raise Failure("broker_malformed", "epk")
        ciphertext = self.decode(self.member(jwe, "ciphertext", str), "ciphertext")
        if len(ciphertext) > wire.SECRET_MAX:
            raise Failure("secret_too_large")
        return {
            "protected": protected.encode("ascii"),
            "x": self.decode(self.member(epk, "x", str), "x", wire.COORDINATE),
            "y": self.decode(self.member(epk, "y", str), "y", wire.COORDINATE),
            "encrypted_key": self.decode(self.member(jwe, "encrypted_key", str), "encrypted_key", 40),
            "iv": self.decode(self.member(jwe, "iv", str), "iv", 12),
            "ciphertext": ciphertext,
            "tag": self.decode(self.member(jwe, "tag", str), "tag", 16),
        }

    @staticmethod
    def parse(body):
        try:
            return wire.parse(body)
        except Failure as failure:
            raise Failure("broker_malformed", detail=failure.code) from None

    @staticmethod
    def member(container, name, kind):
        try:
            return wire.required(container, name, kind)
        except Failure:
            raise Failure("broker_malformed", name) from None

    @staticmethod
    def decode(text, name, length=None, most=BODY_MAX):
        try:
            octets = wire.from_base64url(text, name)
        except Failure:
            raise Failure("broker_malformed", name) from None
        if len(octets) > most or (length is not None and len(octets) != length):
            raise Failure("broker_malformed", name)
        return octets

    @staticmethod
    def error_type(body):
        try:
            kind = wire.parse(body).get("type")
        except Failure:
            return ""
        return kind.rpartition("/")[2] if isinstance(kind, str) and "/" in kind else ""

    @staticmethod
    def expect_ok(status, body, refusal):
        if status in (401, 403, 417):
            raise Failure(refusal)
        if status != 200 or len(body) > BODY_MAX:
            raise Failure("broker_malformed")

    # HTTP/1.1, one connection for each request

    def call(self, method, path, body=None, bearer=None):
        """Status and body of one answer; a body above the bound is cut one octet above it."""
        content = b"" if body is None else json.dumps(body, separators=(",", ":")).encode()
        lines = [f"{method} {self.parts.path.rstrip('/')}{path} HTTP/1.1", f"Host: {self.parts.netloc}",
                 "Accept: application/json", "Connection: close"]
        if body is not None:
            lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
        if bearer is not None:
            lines.append(f"Authorization: Bearer {bearer}")
        elif self.cookie is not None:
            lines.append(f"Cookie: kbs-session-id={self.cookie}")
        request = "\r\n".join(lines).encode("ascii") + b"\r\n\r\n" + content
        connection = None
        try:
            connection = self.connect()
            self.watch.add(connection)
            connection.settimeout(self.left())
            connection.sendall(request)
            status, answer = self.read_answer(io.BufferedReader(DeadlineReader(connection, self.left)))
        except TimeoutError:
            raise Failure("broker_timeout") from None
        except OSError:
            raise Failure("broker_unreachable") from None
        finally:
            self.watch.discard(connection)
            if connection:
                connection.close()
        if answer.lstrip(b" \t\r\n").startswith(b"<"):
            raise Failure("broker_malformed", detail="markup")
        if len(answer) > BODY_MAX and not (status == 200 and method == "GET"):
            raise Failure("broker_malformed", detail="body")
        return status, answer

    def left(self):
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def connect(self):
        left = self.left()
        port = self.parts.port or (443 if self.parts.scheme == "https" else 80)
        try:
            connection = socket.create_connection((self.parts.hostname, port), min(CONNECT_SECONDS, left))
            if self.parts.scheme == "https":
                context = ssl.create_default_context(cafile=self.ca)
                connection = context.wrap_socket(connection, server_hostname=self.parts.hostname)
        except TimeoutError:
            if left > CONNECT_SECONDS:
                raise Failure("broker_unreachable") from None
            raise
        return connection

    def read_answer(self, stream):
        status = 100
        while status // 100 == 1:
            status, headers = self.read_head(stream)
        for cookie in headers.get_all("Set-Cookie", []):
            name, _, value = cookie.split(";")[0].partition("=")
            if name.strip() == "kbs-session-id":
                self.cookie = value.strip()
        if headers.get("Transfer-Encoding", "").lower() == "chunked":
            return status, self.read_chunks(stream)
        length = headers.get("Content-Length")
        if length is None:
            return status, stream.read(BODY_MAX + 1)
        if not re.fullmatch("[0-9]{1,15}", length):
            raise Failure("broker_malformed", detail="length")
        return status, self.read_exactly(stream, min(int(length), BODY_MAX + 1))

    @staticmethod
    def read_head(stream):
        head = b""
        while not head.endswith((b"\r\n\r\n", b"\n\n")):
            part = stream.readline(HEAD_MAX + 1 - len(head))
            if not part:
                raise ConnectionError
            head += part
            if not head.startswith(b"HTTP/1."[:len(head)]) or len(head) > HEAD_MAX:
                raise Failure("broker_malformed", detail="head")
        first, _, rest = head.partition(b"\n")
        match = re.match(rb"HTTP/1\.[01] ([1-5][0-9][0-9])[ \r]", first)
        if not match:
            raise Failure("broker_malformed", detail="head")
        try:
            return int(match.group(1)), http.client.parse_headers(io.BytesIO(rest))
        except http.client.HTTPException:
            raise Failure("broker_malformed", detail="head") from None

    @classmethod
    def read_chunks(cls, stream):
        body = b""
        while len(body) <= BODY_MAX:
            size = stream.readline(64)
            if not size:
                raise ConnectionError
            if not re.match(rb"[0-9A-Fa-f]{1,8}[;\r\n]", size):
                raise Failure("broker_malformed", detail="chunk")
            length = int(re.split(rb"[;\r\n]", size)[0], 16)
            if length == 0:
                break
            body += cls.read_exactly(stream, min(length, BODY_MAX + 1 - len(body)))
            stream.readline(64)
        return body

    @staticmethod
    def read_exactly(stream, length):
        body = stream.read(length)
        if len(body) < length:
            raise ConnectionError
        return body


class DeadlineReader(io.RawIOBase):
    """Reads a socket as long as time is left."""

    def __init__(self, connection, left):
        super().__init__()
        self.connection, self.left = connection, left

    def readable(self):
        return True

    def readinto(self, buffer):
        self.connection.settimeout(self.left())
        return self.connection.recv_into(buffer)


# Bounds (section 11.5)


class Sessions:
    """So many attempts at once; who waits is served in order (a unix line runs one attempt at most)."""

    def __init__(self, count):
        self.free, self.queue, self.changed = count, collections.deque(), threading.Condition()

    def take(self, seconds):
        ticket = object()
        with self.changed:
            self.queue.append(ticket)
            try:
                if not self.changed.wait_for(lambda: self.free and self.queue[0] is ticket, seconds):
                    raise Failure("proxy_busy", lost=True)
                self.free -= 1
            finally:
                self.queue.remove(ticket)
                self.changed.notify_all()

    def give(self):
        with self.changed:
            self.free += 1
            self.changed.notify_all()


class Budget:
    """A line's bucket of attempts, full at first."""

    def __init__(self):
        self.tokens, self.at = float(ATTEMPTS), time.monotonic()

    def take(self):
        now = time.monotonic()
        self.tokens = min(ATTEMPTS, self.tokens + (now - self.at) / ATTEMPT_INTERVAL)
        self.at = now
        if self.tokens < 1:
            raise Failure("attempts_exhausted", lost=True)
        self.tokens -= 1


# The protocol


def read_negotiation_request(message):
    """Section 4: the guest's terms, or None if it stated none."""
    version = wire.required(message, "version", list)
    numbers = [wire.u32(number, "version") for number in version]
    if len(numbers) != 3:
        raise Failure("bad_length", "version")
    tee = wire.one_of(message, "tee", wire.TEES)
    ext = wire.optional(message, "ext", dict)
    terms = None if ext is None else wire.read_terms(ext, "ext.")
    if numbers != [0, 1, 0]:
        raise Failure("version_unsupported", "version")
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
