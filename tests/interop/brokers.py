# SPDX-License-Identifier: Apache-2.0
"""A broker that answers what a test says."""

import contextlib
import re
import socket
import threading

import guest
from messages import compact, octets
from wire import to_base64url
from world import PATIENCE


def answer(status, body=b"{}", *headers):
    """An HTTP answer of one piece."""
    body = body if isinstance(body, bytes) else compact(body)
    head = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", "Content-Type: application/json", *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def auth(nonce="A" * 43 + "="):
    return answer(200, {"nonce": nonce, "extra-params": ""}, "Set-Cookie: kbs-session-id=c00c1e; Path=/; HttpOnly")


def token(text="t0ken"):
    return answer(200, {"token": text})


def jwe(**changes):
    header = {"alg": guest.ALGORITHM, "enc": "A256GCM",
              "epk": {"kty": "EC", "crv": "P-521", "x": to_base64url(bytes(66)), "y": to_base64url(bytes(66))}}
    header = changes.pop("header", header)
    members = {"protected": header if isinstance(header, str) else to_base64url(compact(header)),
               "encrypted_key": to_base64url(bytes(40)), "iv": to_base64url(bytes(12)), "ciphertext": "",
               "tag": to_base64url(bytes(16)), **changes}
    return answer(200, members)


def kbs_error(status, kind):
    return answer(status, {"type": "https://example/kbs/errors/" + kind, "detail": "words of the broker"})


CHUNKED = (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
           b'a\r\n{"nonce":"\r\n' b"2C\r\n" + b"A" * 43 + b"=\r\n" b'2\r\n"}\r\n' b"0\r\n\r\n")

# What a broker answers to auth, attest, resource, resource; and the code for the guest, None being a release.
BROKEN_BROKERS = {
    "all well": ([auth(), token(), jwe()], None),
    "chunked": ([CHUNKED, token(), jwe()], None),
    "hangs up": ([b""], "broker_unreachable"),
    "no HTTP": ([b"SSH-2.0-OpenSSH_9.2\r\n"], "broker_malformed"),
    "auth 401": ([kbs_error(401, "ProtocolVersion")], "broker_version"),
    "auth 403 of a gateway": ([answer(403)], "broker_malformed"),
    "auth 401 of a gateway": ([answer(401, {"message": "Unauthorized"})], "broker_malformed"),
    "auth 417": ([answer(417)], "broker_version"),
    "auth 404": ([answer(404)], "broker_malformed"),
    "auth 429": ([answer(429)], "broker_unavailable"),
    "auth 500": ([answer(500)], "broker_unavailable"),
    "a redirect": ([answer(302, b"", "Location: /elsewhere")], "broker_malformed"),
    "a login page": ([answer(401, b" \n<html>")], "broker_malformed"),
    "a login page behind a byte order mark": ([answer(401, b"\xef\xbb\xbf<html>")], "broker_malformed"),
    "a body too long": ([answer(200, b" " * 262145)], "broker_malformed"),
    "a head too long": ([answer(200, b"{}", "X: " + "x" * 33000)], "broker_malformed"),
    "auth no JSON": ([answer(200, b"{")], "broker_malformed"),
    "auth repeats a member": ([answer(200, b'{"nonce":"","nonce":""}')], "broker_malformed"),
    "nonce missing": ([answer(200)], "broker_malformed"),
    "nonce of 15": ([auth(octets(15))], "broker_nonce"),
    "nonce of 65": ([auth(octets(65))], "broker_nonce"),
    "nonce base64url": ([auth("_" * 43)], "broker_nonce"),
    "attest 401": ([auth(), kbs_error(401, "AttestationError")], "attestation_refused"),
    "attest 403": ([auth(), answer(403)], "attestation_refused"),
    "attest 500": ([auth(), answer(500)], "broker_unavailable"),
    "attest hangs up": ([auth(), b""], "broker_unreachable"),
    "token missing": ([auth(), answer(200)], "broker_malformed"),
    "token empty": ([auth(), token("")], "broker_malformed"),
    "token with a space": ([auth(), token("a b")], "broker_malformed"),
    "token too long": ([auth(), token("t" * 49153)], "broker_malformed"),
    "token that does not fit": ([auth(), token("t" * 49152), jwe(ciphertext=to_base64url(bytes(32768)))], None),
    "resource 404": ([auth(), token(), answer(404)], "secret_refused"),
    "resource 403": ([auth(), token(), answer(403)], "secret_refused"),
    "resource 500": ([auth(), token(), answer(599)], "broker_unavailable"),
    "resource 401 otherwise": ([auth(), token(), kbs_error(401, "PluginInternalError")], "secret_refused"),
    "resource 401 no JSON": ([auth(), token(), answer(401, b"no")], "secret_refused"),
    "session lost, token good": ([auth(), token(), kbs_error(401, "TokenNotFound"), jwe()], None),
    "session lost, a bare name": ([auth(), token(), answer(401, {"type": "TokenNotFound"}), jwe()], None),
    "a name of its own": ([auth(), token(), kbs_error(401, "FooTokenNotFound")], "secret_refused"),
    "session lost, token lost": ([auth(), token(), *[kbs_error(401, "TokenNotFound")] * 2], "session_expired"),
    "session lost, token refused": ([auth(), token(), kbs_error(401, "TokenNotFound"),
                                     kbs_error(401, "TokenVerifierError")], "session_expired"),
    "session lost, then refused": ([auth(), token(), kbs_error(401, "TokenNotFound"), kbs_error(401, "PolicyDeny")],
                                   "secret_refused"),
    "secret too large": ([auth(), token(), jwe(ciphertext=to_base64url(bytes(32769)))], "secret_too_large"),
    "secret far too large": ([auth(), token(), answer(200, b" " * 262145)], "secret_too_large"),
    "aad beside protected": ([auth(), token(), jwe(aad="")], "broker_malformed"),
    "protected too long": ([auth(), token(), jwe(header=to_base64url(b" " * 1025))], "broker_malformed"),
    "protected no JSON": ([auth(), token(), jwe(header="e30x")], "broker_malformed"),
    "protected without epk": ([auth(), token(), jwe(header={})], "broker_malformed"),
    "tag of 15": ([auth(), token(), jwe(tag=to_base64url(bytes(15)))], "broker_malformed"),
    "iv padded": ([auth(), token(), jwe(iv=to_base64url(bytes(12)) + "=")], "broker_malformed"),
    "ciphertext missing": ([auth(), token(), answer(200, {"protected": ""})], "broker_malformed"),
}


class BrokenBroker:
    """Gives the scripted answers, one to each request, and keeps the requests."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/base/"
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.script([])
        self.thread.start()

    def script(self, answers):
        self.answers, self.requests = list(answers), []

    def serve(self):
        while True:
            try:
                connection = self.listener.accept()[0]
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.settimeout(PATIENCE)
                self.serve_connection(connection)

    def serve_connection(self, connection):
        with connection.makefile("rb") as stream:
            while True:
                lines = [stream.readline()]
                while lines[-1].strip():
                    lines.append(stream.readline())
                if not lines[0]:
                    return
                request = [line.decode().strip() for line in lines[:-1]]
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in request[1:])}
                body = stream.read(int(headers.get("content-length", 0)))
                self.requests.append((request[0], headers, body))
                octets_sent = self.answers.pop(0) if self.answers else b""
                connection.sendall(octets_sent)
                if headers.get("connection") == "close" or not self.is_whole(octets_sent):
                    return

    @staticmethod
    def is_whole(octets_sent):
        """Says whether a client may send another request on the connection."""
        head, _, body = octets_sent.partition(b"\r\n\r\n")
        length = re.search(rb"Content-Length: ([0-9]+)", head)
        return length is not None and int(length.group(1)) == len(body)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(PATIENCE)
