# SPDX-License-Identifier: Apache-2.0
"""The proxy's side of the KBS protocol 0.4.0 (annex A of docs/protocol.md)."""

import http.client
import io
import json
import re
import socket
import ssl
import time
import urllib.parse

import wire
from wire import Failure

BODY_MAX = 262144
HEAD_MAX = 32768
TOKEN_MAX = 49152
CONNECT_SECONDS = 5.0
KBS_ERRORS = ("AdminAuthAccess", "AdminAuthInitialization", "AttestationError", "JweError", "ParsePolicyError",
              "PluginInternalError", "PluginNotFound", "PolicyDeny", "PolicyEngineError", "RvpsError", "TokenNotFound",
              "TokenVerifierError")


class Broker:
    """One session at the broker. `watch` keeps the sockets in use, so that a stopping proxy can end them."""

    def __init__(self, settings, deadline, watch):
        self.parts = urllib.parse.urlsplit(settings.url)
        self.ca, self.deadline, self.watch = settings.ca, deadline, watch
        self.cookie = None

    def auth(self):
        """The broker's nonce as it wrote it, and decoded."""
        status, body = self.call("POST", "/kbs/v0/auth", {"version": "0.4.0", "tee": "snp", "extra-params": ""})
        kbs = status == 417 or self.is_kbs_error(body)
        self.expect_ok(status, body, "broker_version" if kbs else "broker_malformed")
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
    def full_type(body):
        try:
            kind = wire.parse(body).get("type")
        except Failure:
            return ""
        return kind if isinstance(kind, str) else ""

    def error_type(self, body):
        return self.full_type(body).rpartition("/")[2]

    def is_kbs_error(self, body):
        return self.error_type(body) in KBS_ERRORS or "/kbs/errors/" in self.full_type(body)

    @staticmethod
    def expect_ok(status, body, refusal):
        if status == 429 or 500 <= status <= 599:
            raise Failure("broker_unavailable")
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
        if answer.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n").startswith(b"<"):
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
