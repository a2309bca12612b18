# SPDX-License-Identifier: Apache-2.0
"""Runs the Python guest and proxy of this directory against attest-guest, attest-proxy, snp-sim and mock-kbs.

    python3 interop_test.py --bin DIRECTORY [--document PROTOCOL.md] [unittest arguments]
"""

import argparse
import contextlib
import hashlib
import json
import os
import pty
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import tty
import unittest
import unittest.mock

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

import guest
import proxy
import wire
from wire import frame, to_base64, to_base64url

HERE = os.path.dirname(os.path.abspath(__file__))
OPTIONS = argparse.Namespace(bin=None, document=None)
PATIENCE = 20.0  # seconds for any one step on a loaded machine
DEFAULT, OWN = "default/sample/test", "my/own/key"
SECRETS = {DEFAULT: b"the default secret", OWN: b"\x00\xffanother secret\n"}
REQUEST_1 = b'{"version":[0,1,0],"tee":"snp"}'
PARAMS = ["EcPublicKeyBytes", "Challenge"]


# Programs


class Program:
    """A program that says `ready` and runs until it is stopped."""

    def __init__(self, *arguments, log):
        self.log = log
        with open(log, "wb") as errors:
            self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors)
        if not select.select([self.process.stdout], [], [], PATIENCE)[0]:
            self.stop()
            raise AssertionError(f"{arguments[0]} is not ready")
        self.ready = self.process.stdout.readline().decode().split()
        if self.ready[:1] != ["ready"]:
            self.stop()
            raise AssertionError(f"{arguments[0]}: {self.events()}")

    def events(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()

    def stop(self):
        """Ends the program and says with which status."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()
        return self.process.returncode


def binary(name):
    return os.path.join(OPTIONS.bin, name)


def run(*arguments):
    return subprocess.run(arguments, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE + 10)


class World:
    """Firmware, brokers and proxies on private sockets in a temporary directory."""

    def __init__(self):
        self.directory = None
        self.programs = []
        self.count = 0

    def path(self, name):
        return os.path.join(self.directory, name)

    def fresh(self, stem):
        self.count += 1
        return self.path(f"{stem}{self.count}")

    def start(self, *arguments):
        program = Program(*arguments, log=self.fresh("log"))
        self.programs.append(program)
        return program

    def set_up(self):
        self.directory = tempfile.mkdtemp(prefix="interop-")
        # The public keys of seed 1: making fresh ones takes seconds.
        run(binary("snp-sim"), "certs", "--seed", "1", "--out", self.path("ca")).check_returncode()
        self.firmware = self.path("firmware")
        simulator = self.start(binary("snp-sim"), "serve", "--ca", self.path("ca"), "--unix", self.firmware)
        measurement = simulator.ready[simulator.ready.index("measurement") + 1]
        self.broker = self.start_broker(measurement)
        self.stranger = self.start_broker("0" * 96)  # knows another measurement only
        self.url, self.stranger_url = self.broker.ready[1], self.stranger.ready[1]
        self.real = self.start_real_proxy(self.url)
        self.python = self.start_python_proxy(self.url)

    def start_broker(self, measurement):
        arguments = [binary("mock-kbs"), "--listen", "127.0.0.1:0", "--root", self.path("ca/ark.pem"),
                     "--certs", self.path("ca"), "--measurement", measurement]
        for resource, secret in SECRETS.items():
            path = self.path(resource.replace("/", "_"))
            with open(path, "wb") as file:
                file.write(secret)
            arguments += ["--resource", f"{resource}={path}"]
        return self.start(*arguments)

    def start_real_proxy(self, url, *more):
        path = self.fresh("real")
        program = self.start(binary("attest-proxy"), "--url", url, "--protocol", "kbs", "--unix", path,
                             "--allow-resource", DEFAULT, "--allow-resource", OWN, *more)
        program.socket = path
        return program

    def start_python_proxy(self, url, *more):
        path = self.fresh("python")
        program = self.start(sys.executable, os.path.join(HERE, "proxy.py"), "--url", url, "--unix", path,
                             "--allow-resource", DEFAULT, "--allow-resource", OWN, *more)
        program.socket = path
        return program

    def tear_down(self):
        """Exit status of every program, in the order of their starts."""
        for program in self.programs:
            program.process.terminate()
        statuses = [program.stop() for program in self.programs]
        shutil.rmtree(self.directory)
        return statuses


WORLD = World()


def setUpModule():
    try:
        WORLD.set_up()
    except BaseException:
        WORLD.tear_down()
        raise


def tearDownModule():
    statuses = WORLD.tear_down()
    if any(statuses):
        raise AssertionError(f"a program ended with {statuses}")


# Guests: each returns (exit status, code or None, secret or None)


def real_guest(path, resource=DEFAULT):
    if os.path.exists(WORLD.path("secret")):
        os.unlink(WORLD.path("secret"))
    result = run(binary("attest-guest"), "--unix", path, "--firmware", "unix:" + WORLD.firmware,
                 "--secret-auth", "none", "--resource", resource, "--json", "--timeout", str(int(PATIENCE)),
                 "--out", WORLD.path("secret"))
    secret = None
    if result.returncode == 0:
        with open(WORLD.path("secret"), "rb") as file:
            secret = file.read()
    return result.returncode, json.loads(result.stdout).get("code"), secret


def python_guest(path, resource=DEFAULT):
    result = run(sys.executable, os.path.join(HERE, "guest.py"), "--unix", path, "--firmware", "unix:" + WORLD.firmware,
                 "--resource", resource, "--timeout", str(PATIENCE))
    code = result.stderr.decode().partition(":")[0].strip() or None
    return result.returncode, code, result.stdout if result.returncode == 0 else None


def inner_guest(path, resource=DEFAULT):
    """The Python guest in this process, which saves its start."""
    deadline = time.monotonic() + PATIENCE
    terms = dict(wire.DEFAULT_TERMS, resource=resource)
    try:
        return 0, None, guest.attest_unix(path, guest.Firmware(WORLD.firmware, deadline), terms, deadline)
    except wire.Failure as failure:
        return wire.exit_status(failure.code), failure.code, None


GUESTS = {"attest-guest": real_guest, "guest.py": inner_guest}


# Hostile hosts


def compact(message):
    return json.dumps(message, separators=(",", ":")).encode()


class ScriptedProxy:
    """Answers one guest's frames with what two functions make of them: octets, or a message to frame."""

    def __init__(self, negotiate, attest):
        self.steps = (negotiate, attest)
        self.path = WORLD.fresh("scripted")

    def __enter__(self):
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(self.path)
        self.listener.listen(1)
        self.listener.settimeout(PATIENCE)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        return self

    def serve(self):
        try:
            connection = self.listener.accept()[0]
        except OSError:
            return
        with connection:
            line = wire.Line(connection.fileno(), time.monotonic() + PATIENCE)
            with contextlib.suppress(wire.Failure, OSError):
                for step in self.steps:
                    answer = step(json.loads(line.read_frame()))
                    octets = answer if isinstance(answer, bytes) else frame(compact(answer))
                    line.write(octets)
                    if len(octets) < 8 or len(octets) != 8 + int.from_bytes(octets[:8], "little"):
                        break
                connection.shutdown(socket.SHUT_WR)
                while line.read_some(4096):
                    pass

    def __exit__(self, *_):
        self.listener.close()
        self.thread.join(PATIENCE)
        os.unlink(self.path)


class ImpatientProxy(ScriptedProxy):
    """Writes and closes before it has read anything."""

    def __init__(self, octets_sent):
        super().__init__(None, None)
        self.octets_sent = octets_sent

    def serve(self):
        with contextlib.suppress(OSError), self.listener.accept()[0] as connection:
            connection.sendall(self.octets_sent)


def negotiation_response(request):
    response = {"challenge": to_base64(bytes(range(32))), "params": PARAMS}
    if "ext" in request:
        response["ext"] = {"accepted": request["ext"]}
    return response


def seal(request, secret=b"sealed by the host", change_header=None, change_point=None):
    """An AttestationResponse whose secret is sealed to the guest's key."""
    x, y = (int.from_bytes(wire.from_base64(request["key"][name], name), "big") for name in "xy")
    peer = ec.EllipticCurvePublicNumbers(x, y, ec.SECP521R1()).public_key()
    key = ec.generate_private_key(ec.SECP521R1())
    point = key.public_key().public_numbers()
    epk = {name: getattr(point, name).to_bytes(66, "big") for name in "xy"}
    if change_point:
        change_point(epk)
    header = {"alg": guest.ALGORITHM, "enc": "A256GCM",
              "epk": {"crv": "P-521", "kty": "EC", "x": to_base64url(epk["x"]), "y": to_base64url(epk["y"])}}
    if change_header:
        change_header(header)
    aad = to_base64url(compact(header)).encode()
    other_info = struct.pack(">I14sIII", 14, guest.ALGORITHM.encode(), 0, 0, 256)
    kek = hashlib.sha256(b"\0\0\0\1" + key.exchange(ec.ECDH(), peer) + other_info).digest()
    cek, iv = os.urandom(32), os.urandom(12)
    sealed = AESGCM(cek).encrypt(iv, secret, aad)
    return {"success": True, "secret": to_base64(sealed[:-16]),
            "decryption": {"epk": {name: to_base64(octets) for name, octets in epk.items()},
                           "wrapped_cek": to_base64(aes_key_wrap(kek, cek)), "aad": to_base64(aad),
                           "iv": to_base64(iv), "tag": to_base64(sealed[-16:])},
            "token": {"Jwt": "a token"}}


def changed(message, path, value):
    """The message with one member set, or removed if the value is REMOVED."""
    target = message
    *parents, last = path.split(".")
    for parent in parents:
        target = target[parent]
    if value is REMOVED:
        del target[last]
    else:
        target[last] = value
    return message


REMOVED = object()


def octets(count):
    return to_base64(bytes(count))


def flipped(text):
    raw = bytearray(wire.from_base64(text, ""))
    raw[0] ^= 1
    return to_base64(bytes(raw))


def add_prime(epk):
    """Another spelling of the same point."""
    epk["x"] = (int.from_bytes(epk["x"], "big") + guest.P521).to_bytes(66, "big")


def flip_member(answer, name):
    return changed(answer, "decryption." + name, flipped(answer["decryption"][name]))


def error(code, phase="negotiation", **more):
    return {**more, "ext": {"error": {"code": code, "phase": phase, "detail": "said by the test"}}}


# What a hostile proxy sends in place of frame 2, and the guest's code.
BAD_NEGOTIATIONS = {
    "end of the stream": (b"", "closed"),
    "half a length": (b"\x10\0\0", "truncated"),
    "half a body": (b"\x10" + bytes(7) + b"{", "truncated"),
    "zero length": (bytes(8), "frame_empty"),
    "65537 octets": (frame(b" " * 65537)[:8], "frame_too_large"),
    "2^64-1 octets": (b"\xff" * 8, "frame_too_large"),
    "no JSON": (frame(b"{"), "bad_json"),
    "byte order mark": (frame(b"\xef\xbb\xbf" + compact(negotiation_response({}))), "bad_json"),
    "trailing octets": (frame(compact(negotiation_response({})) + b"{}"), "trailing_bytes"),
    "repeated member": (frame(compact(negotiation_response({}))[:-1] + b',"params":[]}'), "json_duplicate"),
    "repeated in an unknown member": (frame(compact(negotiation_response({}))[:-1] + b',"z":{"a":1,"a":1}}'),
                                      "json_duplicate"),
    "depth 9": (frame(compact(negotiation_response({}))[:-1] + b',"z":[[[[[[[[]]]]]]]]}'), "json_depth"),
    "lone surrogate": (frame(compact(negotiation_response({}))[:-1] + b',"z":"\\udc00"}'), "bad_json"),
    "array for the structure": (["challenge", "params"], "json_type"),
    "challenge missing": ({"params": PARAMS}, "json_missing"),
    "challenge null": ({"challenge": None, "params": PARAMS}, "json_type"),
    "challenge of 15": ({"challenge": octets(15), "params": PARAMS}, "host_chosen_challenge"),
    "challenge of 65": ({"challenge": octets(65), "params": PARAMS}, "host_chosen_challenge"),
    "challenge base64url": ({"challenge": "-" * 24, "params": PARAMS}, "bad_base64"),
    "challenge with loose bits": ({"challenge": "A" * 21 + "B==", "params": PARAMS}, "bad_base64"),
    "params missing": ({"challenge": octets(32)}, "json_missing"),
    "params with Challenge:null": ({"challenge": octets(32), "params": ["EcPublicKeyBytes", {"Challenge": None}]},
                                   "json_type"),
    "params in another order": ({"challenge": octets(32), "params": PARAMS[::-1]}, "host_chosen_params"),
    "params without key": ({"challenge": octets(32), "params": ["Challenge"]}, "host_chosen_params"),
    "params empty": ({"challenge": octets(32), "params": []}, "host_chosen_params"),
    "ext null": ({"challenge": octets(32), "params": PARAMS, "ext": None}, "json_type"),
    "a code that is no code of the wire": (error("tag_failed"), "refused"),
    "a code of the wire": (error("proxy_busy"), "proxy_busy"),
    "error beside challenge": (error("proxy_busy", challenge=octets(32)), "contradiction"),
    "error without detail": ({"ext": {"error": {"code": "refused", "phase": "negotiation"}}}, "json_missing"),
    "error in a phase unknown": (error("refused", "later"), "bad_value"),
    "stock refusal": ({}, "json_missing"),
}

# The same for a guest that states a resource.
BAD_ACCEPTANCES = {
    "no ext": (lambda request: changed(negotiation_response(request), "ext", REMOVED), "ext_not_honoured"),
    "another resource": (lambda request: changed(negotiation_response(request), "ext.accepted.resource", DEFAULT),
                         "ext_not_honoured"),
    "resource missing": (lambda request: changed(negotiation_response(request), "ext.accepted.resource", REMOVED),
                         "json_missing"),
    "binding unknown": (lambda request: changed(negotiation_response(request), "ext.accepted.binding", "x"),
                        "bad_value"),
    "error beside accepted": (lambda request: {"ext": {"accepted": request["ext"], **error("refused")["ext"]}},
                              "contradiction"),
    "W1 behind a stated resource": (lambda request: changed(negotiation_response(request), "params", ["Challenge"]),
                                    "host_chosen_params"),
}

# What it makes of a good frame 4.
BAD_ANSWERS = {
    "end of the stream": (lambda request: b"", "closed"),
    "zero length": (lambda request: bytes(8), "frame_empty"),
    "2^63 octets": (lambda request: (2**63).to_bytes(8, "little"), "frame_too_large"),
    "half a body": (lambda request: frame(compact(seal(request)))[:-1], "truncated"),
    "trailing octets": (lambda request: frame(compact(seal(request)) + b"\n\0"), "trailing_bytes"),
    "repeated member": (lambda request: frame(compact(seal(request))[:-1] + b',"success":true}'), "json_duplicate"),
    "success missing": (lambda request: changed(seal(request), "success", REMOVED), "json_missing"),
    "success 1": (lambda request: changed(seal(request), "success", 1), "json_type"),
    "secret null": (lambda request: changed(seal(request), "secret", None), "json_type"),
    "secret missing": (lambda request: changed(seal(request), "secret", REMOVED), "contradiction"),
    "secret too large": (lambda request: changed(seal(request), "secret", octets(32769)), "too_large"),
    "decryption null": (lambda request: changed(seal(request), "decryption", None), "contradiction"),
    "success false": (lambda request: changed(seal(request), "success", False), "contradiction"),
    "success beside an error": (lambda request: {**seal(request), **error("refused", "attestation")}, "contradiction"),
    "wrapped key of 39": (lambda request: changed(seal(request), "decryption.wrapped_cek", octets(39)), "bad_length"),
    "epk x of 65": (lambda request: changed(seal(request), "decryption.epk.x", octets(65)), "bad_length"),
    "iv of 16": (lambda request: changed(seal(request), "decryption.iv", octets(16)), "bad_length"),
    "tag of 12": (lambda request: changed(seal(request), "decryption.tag", octets(12)), "bad_length"),
    "aad of 1367": (lambda request: changed(seal(request), "decryption.aad", octets(1367)), "too_large"),
    "token of two members": (lambda request: changed(seal(request), "token.Cwt", "x"), "bad_value"),
    "apu": (lambda request: seal(request, change_header=lambda header: header.update(apu="")), "jwe_header"),
    "zip": (lambda request: seal(request, change_header=lambda header: header.update(zip="DEF")), "jwe_header"),
    "another alg": (lambda request: seal(request, change_header=lambda header: header.update(alg="dir")), "jwe_header"),
    "enc is a number": (lambda request: seal(request, change_header=lambda header: header.update(enc=1)), "json_type"),
    "alg missing": (lambda request: seal(request, change_header=lambda header: header.pop("alg")), "jwe_header"),
    "another epk in the header": (lambda request: changed(seal(request), "decryption.epk.x", octets(66)),
                                  "jwe_epk_mismatch"),
    "no point": (lambda request: seal(request, change_point=lambda epk: epk.update(y=bytes(66))), "bad_point"),
    "x plus the prime": (lambda request: seal(request, change_point=add_prime), "bad_point"),
    "flipped wrapped key": (lambda request: flip_member(seal(request), "wrapped_cek"), "unwrap_failed"),
    "flipped tag": (lambda request: flip_member(seal(request), "tag"), "tag_failed"),
    "empty secret": (lambda request: seal(request, b""), "empty_secret"),
    "stock refusal": (lambda request: {"success": False, "decryption": None, "token": None}, "refused"),
    "refusal": (lambda request: error("secret_refused", "attestation", success=False), "secret_refused"),
}


class Variant(proxy.Proxy):
    """A hostile variant of the Python proxy with the real broker behind it, in this process."""

    def __init__(self, negotiation=None, attestation=None):
        super().__init__(proxy.Settings(WORLD.url, WORLD.fresh("variant")))
        self.change_negotiation, self.change_attestation = negotiation, attestation

    def log(self, event, **members):
        pass

    def make_negotiation_response(self, challenge, terms):
        message = super().make_negotiation_response(challenge, terms)
        return self.change_negotiation(message, challenge) if self.change_negotiation else message

    def make_attestation_response(self, jwe, token):
        message = super().make_attestation_response(jwe, token)
        return self.change_attestation(message) if self.change_attestation else message

    def __enter__(self):
        self.start()
        return self.settings.unix

    def __exit__(self, *_):
        self.stop(1.0)


def host_key_substitution(message, challenge):
    """W1 (section 15.1): the host's own key in the place of the guest's."""
    point = ec.generate_private_key(ec.SECP521R1()).public_key().public_numbers()
    host = point.x.to_bytes(66, "big") + point.y.to_bytes(66, "big")
    return {"challenge": to_base64(host + challenge), "params": ["Challenge"]}


# Hostile guests


class RawGuest:
    """A line on which a test writes what it likes."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(path)
        self.line = wire.Line(self.socket.fileno(), time.monotonic() + PATIENCE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def read(self):
        return json.loads(self.line.read_frame())

    def ask(self, octets):
        self.line.write(octets)
        return self.read()

    def is_closed(self):
        """Says whether the proxy closed the line; a line that is kept serves another attempt."""
        try:
            return "challenge" not in self.ask(frame(REQUEST_1))
        except wire.Failure as failure:
            if failure.code not in ("closed", "transport"):
                raise
            return True


def evidence(challenge):
    """An AttestationRequest of the right form whose report is all zeros."""
    point = ec.generate_private_key(ec.SECP521R1()).public_key().public_numbers()
    return {"tee": "snp", "evidence": {"Snp": {"report": octets(wire.REPORT_OCTETS)}}, "challenge": challenge,
            "key": {name: to_base64(getattr(point, name).to_bytes(66, "big")) for name in "xy"}}


def request_1(text):
    return frame(text.encode("utf-8", "surrogatepass"))


def request_ext(**changes):
    terms = {**wire.DEFAULT_TERMS, "resource": OWN, **changes}
    return frame(compact({"version": [0, 1, 0], "tee": "snp", "ext": terms}))


def json_examples():
    """The table of section 3."""
    tail = '"tee":"snp"'
    return {
        '{"version":[0,1,0],%s,}' % tail: "bad_json", '{"version":[00,1,0],%s}' % tail: "bad_json",
        '{"version":[0,1,0],%s,"x":"\\ud800"}' % tail: "bad_json", '{"version":[0,1,0],%s}{}' % tail: "trailing_bytes",
        '{"version":[0,1,0],%s,%s}' % (tail, tail): "json_duplicate",
        '{"version":[0,1,0],%s,"\\u0074ee":"snp"}' % tail: "json_duplicate",
        '{"version":[0,1,0],%s,"x":{"y":1,"y":1}}' % tail: "json_duplicate",
        '{"version":[0,1,0],%s,"x":[[[[[[[[]]]]]]]]}' % tail: "json_depth",
        '["version",[0,1,0],"tee","snp"]': "json_type", '{"version":{"0":0,"1":1,"2":0},%s}' % tail: "json_type",
        '{"version":[0,1,0.0],%s}' % tail: "json_type", '{"version":[0,1,0],"tee":null}': "json_type",
        '{"version":[0,1,0]}': "json_missing",
    }


# What a hostile guest sends as frame 1: the code of the wire, what `detail` names, and whether the line is closed.
BAD_REQUESTS = {
    **{text: (request_1(text), "malformed_request", code, False) for text, code in json_examples().items()},
    "zero length": (bytes(8), "malformed_request", "frame_empty", True),
    "65537 octets": ((65537).to_bytes(8, "little"), "malformed_request", "frame_too_large", True),
    "2^64-1 octets": (b"\xff" * 8, "malformed_request", "frame_too_large", True),
    "another version": (request_1('{"version":[0,2,0],"tee":"snp"}'), "version_unsupported", "", False),
    "two numbers": (request_1('{"version":[0,1],"tee":"snp"}'), "malformed_request", "bad_length", False),
    "a tee not served": (request_1('{"version":[0,1,0],"tee":"tdx"}'), "tee_unsupported", "", False),
    "a tee unknown": (request_1('{"version":[0,1,0],"tee":"SNP"}'), "malformed_request", "bad_value", False),
    "ext null": (request_1('{"version":[0,1,0],"tee":"snp","ext":null}'), "malformed_request", "json_type", False),
    "ext without members": (request_1('{"version":[0,1,0],"tee":"snp","ext":{}}'), "malformed_request", "json_missing",
                            False),
    "a reserved pair": (request_ext(binding="kbs-sha384"), "terms_refused", "", False),
    "no pair": (request_ext(key="P-256"), "terms_refused", "", False),
    "a binding unknown": (request_ext(binding="x"), "malformed_request", "bad_value", False),
    "a resource not allowed": (request_ext(resource="a/b/c"), "resource_refused", "", False),
    "a resource of dots": (request_ext(resource="a/../c"), "malformed_request", "bad_value", False),
    "a resource of 193": (request_ext(resource="a/b/" + "c" * 189), "malformed_request", "too_large", False),
}

# What it makes of a good frame 3.
BAD_EVIDENCE = {
    "frame 1 again": (lambda message: frame(REQUEST_1), "malformed_request", "json_missing", False),
    "zero length": (lambda message: bytes(8), "malformed_request", "frame_empty", True),
    "2^64-1 octets": (lambda message: b"\xff" * 8, "malformed_request", "frame_too_large", True),
    "trailing octets": (lambda message: frame(compact(message) + b"x"), "malformed_request", "trailing_bytes", False),
    "report of 1183": (lambda message: changed(message, "evidence.Snp.report", octets(1183)), "malformed_request",
                       "bad_length", False),
    "certs_buf null": (lambda message: changed(message, "evidence.Snp.certs_buf", None), "malformed_request",
                       "json_type", False),
    "certs_buf too large": (lambda message: changed(message, "evidence.Snp.certs_buf", octets(16385)),
                            "malformed_request", "too_large", False),
    "two kinds of evidence": (lambda message: changed(message, "evidence.Tdx", {}), "malformed_request", "bad_value",
                              False),
    "another kind of evidence": (lambda message: changed(message, "evidence", {"Tdx": {}}), "malformed_request",
                                 "bad_value", False),
    "challenge of 15": (lambda message: changed(message, "challenge", octets(15)), "malformed_request", "bad_length",
                        False),
    "key missing": (lambda message: changed(message, "key", REMOVED), "malformed_request", "json_missing", False),
    "y of 65": (lambda message: changed(message, "key.y", octets(65)), "malformed_request", "bad_length", False),
    "tee changed": (lambda message: changed(message, "tee", "tdx"), "tee_unsupported", "", False),
    "another challenge": (lambda message: changed(message, "challenge", octets(32)), "attestation_refused", "challenge",
                          False),
    "REPORT_DATA of nothing": (lambda message: message, "attestation_refused", "REPORT_DATA", False),
}


# Broken brokers


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
    "auth 403": ([answer(403)], "broker_version"),
    "auth 417": ([answer(417)], "broker_version"),
    "auth 404": ([answer(404)], "broker_malformed"),
    "auth 500": ([answer(500)], "broker_malformed"),
    "a redirect": ([answer(302, b"", "Location: /elsewhere")], "broker_malformed"),
    "a login page": ([answer(401, b" \n<html>")], "broker_malformed"),
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
    "attest 500": ([auth(), answer(500)], "broker_malformed"),
    "attest hangs up": ([auth(), b""], "broker_unreachable"),
    "token missing": ([auth(), answer(200)], "broker_malformed"),
    "token empty": ([auth(), token("")], "broker_malformed"),
    "token with a space": ([auth(), token("a b")], "broker_malformed"),
    "token too long": ([auth(), token("t" * 49153)], "broker_malformed"),
    "token that does not fit": ([auth(), token("t" * 49152), jwe(ciphertext=to_base64url(bytes(32768)))], None),
    "resource 404": ([auth(), token(), answer(404)], "secret_refused"),
    "resource 403": ([auth(), token(), answer(403)], "secret_refused"),
    "resource 500": ([auth(), token(), answer(500)], "broker_malformed"),
    "resource 401 otherwise": ([auth(), token(), kbs_error(401, "PluginInternalError")], "secret_refused"),
    "resource 401 no JSON": ([auth(), token(), answer(401, b"no")], "secret_refused"),
    "session lost, token good": ([auth(), token(), kbs_error(401, "TokenNotFound"), jwe()], None),
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


# A serial line


class Bridge:
    """A pty whose guest's end is a tty; what passes is carried to a proxy's unix socket, as QEMU would."""

    def __init__(self, path, noise=b""):
        self.master, self.slave = pty.openpty()
        tty.setraw(self.slave)
        self.device = os.ttyname(self.slave)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(path)
        os.write(self.master, noise)
        self.wake, self.end = os.pipe()
        self.thread = threading.Thread(target=self.carry, daemon=True)
        self.thread.start()

    def carry(self):
        limit = time.monotonic() + PATIENCE
        ends = {self.master: self.socket.fileno(), self.socket.fileno(): self.master}
        while time.monotonic() < limit:
            ready = select.select([*ends, self.wake], [], [], PATIENCE)[0]
            if not ready or self.wake in ready:
                return
            for descriptor in ready:
                octets_read = os.read(descriptor, 1024)
                if not octets_read:
                    return
                os.write(ends[descriptor], octets_read)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.end)
        self.thread.join(PATIENCE)
        self.socket.close()
        for descriptor in (self.master, self.slave, self.wake):
            os.close(descriptor)


class QuickSerialLine(guest.SerialLine):
    REPEAT, AFTER_LOSS = 1.0, 0.1


class FixedFirmware:
    """A report without signature, for guests whose broker is the test."""

    def report(self, report_data):
        return bytes(0x50) + report_data + bytes(wire.REPORT_OCTETS - 0x90)


class SerialPartner:
    """The proxy's end of a pty, written by a test as a function of a Line, in a thread."""

    def __init__(self, script, line=QuickSerialLine):
        self.script, self.line_class = script, line
        self.failure = None

    def attest(self, timeout=PATIENCE):
        master, slave = pty.openpty()
        os.set_blocking(master, False)
        line = wire.Line(master, time.monotonic() + PATIENCE)
        thread = threading.Thread(target=self.serve, args=(line,), daemon=True)
        try:
            serial = self.line_class(slave, time.monotonic() + timeout)
            serial.make_raw()
            thread.start()
            return guest.attest(serial, FixedFirmware(), wire.DEFAULT_TERMS)
        finally:
            thread.join(PATIENCE)
            os.close(master)
            os.close(slave)

    def serve(self, line):
        try:
            self.script(line)
        except (wire.Failure, AssertionError) as failure:
            self.failure = failure


# Tests


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


class Attacks(unittest.TestCase):
    """Hostile variants of the Python proxy with the real broker behind them."""

    def check(self, expected, **changes):
        with Variant(**changes) as path:
            for name, run_guest in GUESTS.items():
                with self.subTest(guest=name):
                    self.assertEqual(run_guest(path), (5, expected, None))

    def test_host_key_substitution(self):
        # Its challenge is too long as well; guests name the params, though the document sets no order.
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
        """A proxy may refuse before it has read and close: the guest's write fails, yet the answer is there.

        The document is silent on the order; attest-guest 0.1.0 mostly says `transport`.
        """
        body = frame(compact(error("proxy_busy")))
        for (name, run_guest), codes in zip(GUESTS.items(), ({"proxy_busy", "transport"}, {"proxy_busy"})):
            with self.subTest(guest=name), ImpatientProxy(body) as host:
                status, code, _ = run_guest(host.path)
                self.assertIn(code, codes)
                self.assertEqual(status, 3)

    def test_accepted_is_not_looked_at(self):
        def negotiate(request):
            return {**negotiation_response(request), "ext": {"accepted": [None, 5]}, "unknown": [{}]}
        for name, run_guest in GUESTS.items():
            with self.subTest(guest=name), ScriptedProxy(negotiate, seal) as host:
                self.assertEqual(run_guest(host.path)[0], 0)


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
        """Section 11.5, with the default of annex B; attest-proxy has it as soon as it has --attempts."""
        programs = [WORLD.python]
        if b"--attempts" in run(binary("attest-proxy"), "--help").stdout:
            programs.append(WORLD.real)
        for program in programs:
            with self.subTest(proxy=program.socket), RawGuest(program.socket) as raw:
                codes = [raw.ask(request_ext(key="P-256"))["ext"]["error"]["code"] for _ in range(17)]
                self.assertEqual(codes, ["terms_refused"] * 16 + ["attempts_exhausted"])


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
                    self.assertEqual(found.get("success", False), code is None)
                    self.assertEqual(self.broker.answers, [])

    def test_cut_off(self):
        """Cut off in the body: annex A says broker_unreachable, and attest-proxy 0.1.0 says broker_malformed."""
        for program, codes in zip(self.programs, ({"broker_unreachable", "broker_malformed"}, {"broker_unreachable"})):
            with self.subTest(proxy=program.log):
                found = self.attempt(program, [auth()[:-5]])
                self.assertIn(found["ext"]["error"]["code"], codes)

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


class Serial(unittest.TestCase):
    """The Python guest's serial line, over a pty."""

    def test_bridge_to_proxies(self):
        """A tty at the guest, a unix socket at the proxy (end of section 12.3), with noise before."""
        for program in (WORLD.real, WORLD.python):
            with self.subTest(proxy=program.socket), Bridge(program.socket, b"boot messages\r\n") as bridge:
                result = run(sys.executable, os.path.join(HERE, "guest.py"), "--serial", bridge.device, "--firmware",
                             "unix:" + WORLD.firmware, "--timeout", str(PATIENCE))
                self.assertEqual((result.returncode, result.stdout), (0, SECRETS[DEFAULT]))

    def test_repetition(self):
        """No answer: the guest repeats frame 1, and drops the second of two answers."""
        def script(line):
            first = line.read_frame()
            assert line.read_frame() == first
            response = compact(negotiation_response({}))
            line.write_frame(response)
            line.write_frame(response.replace(b":[", b": ["))  # the same challenge, other octets
            line.write_frame(compact(seal(json.loads(line.read_frame()))))
        partner = SerialPartner(script)
        self.assertEqual(partner.attest(), b"sealed by the host")
        self.assertIsNone(partner.failure)

    def check_failure(self, script, code, **options):
        with self.assertRaises(wire.Failure) as caught:
            SerialPartner(script, **options).attest()
        self.assertEqual(caught.exception.code, code)

    def test_more_answers_than_repetitions(self):
        def script(line):
            line.read_frame()
            for _ in range(2):
                line.write_frame(compact(negotiation_response({})))
            line.read_frame()
        self.check_failure(script, "json_missing")

    def test_another_challenge_is_not_dropped(self):
        def script(line):
            line.read_frame()
            line.read_frame()
            line.write_frame(compact(negotiation_response({})))
            line.write_frame(compact({"challenge": octets(32), "params": PARAMS}))
            line.read_frame()
        self.check_failure(script, "json_missing")

    def test_refusal_of_a_repetition(self):
        def script(line):
            line.read_frame()
            line.read_frame()
            line.write_frame(compact(negotiation_response({})))
            line.write_frame(compact(error("attempts_exhausted")))
            line.read_frame()
        self.check_failure(script, "attempts_exhausted")

    def test_line_noise(self):
        class Noisy(QuickSerialLine):
            QUIET, QUIET_MOST = 0.5, 1.5

        def script(line):
            for _ in range(20):
                line.write(b"noise")
                time.sleep(0.1)
        self.check_failure(script, "line_noise", line=Noisy)

    def test_silence_after_lost_step(self):
        begun = []

        def script(line):
            line.read_frame()
            line.write(bytes(8))
            begun.append(time.monotonic())
        self.check_failure(script, "frame_empty", line=guest.SerialLine)
        self.assertGreaterEqual(time.monotonic() - begun[0], 0.9)

    def test_real_proxy_on_a_tty(self):
        if b"--serial" not in run(binary("attest-proxy"), "--help").stdout:
            self.skipTest("this attest-proxy has no --serial")
        first, second = pty.openpty(), pty.openpty()
        descriptors = [*first, *second]
        wake, end = os.pipe()
        try:
            for _, slave in (first, second):
                tty.setraw(slave)
            thread = threading.Thread(target=cross, args=(first[0], second[0], wake), daemon=True)
            thread.start()
            program = WORLD.start(binary("attest-proxy"), "--url", WORLD.url, "--protocol", "kbs", "--serial",
                                  os.ttyname(second[1]))
            result = run(sys.executable, os.path.join(HERE, "guest.py"), "--serial", os.ttyname(first[1]), "--firmware",
                         "unix:" + WORLD.firmware, "--timeout", str(PATIENCE))
            self.assertEqual((result.returncode, result.stdout), (0, SECRETS[DEFAULT]))
            self.assertEqual(program.stop(), 0)
        finally:
            os.close(end)
            thread.join(PATIENCE)
            for descriptor in (*descriptors, wake):
                os.close(descriptor)


def cross(first, second, wake):
    """A null modem between two ptys."""
    while True:
        ready = select.select([first, second, wake], [], [], PATIENCE)[0]
        if not ready or wake in ready:
            return
        for descriptor in ready:
            os.write(second if descriptor == first else first, os.read(descriptor, 1024))


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--bin", required=True, help="directory of attest-guest, attest-proxy, snp-sim and mock-kbs")
    arguments.add_argument("--document", help="protocol.md, for the worked example of annex C")
    _, others = arguments.parse_known_args(namespace=OPTIONS)
    unittest.main(argv=[sys.argv[0], *others])
