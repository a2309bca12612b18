# SPDX-License-Identifier: Apache-2.0
"""A guest of the guest <-> proxy protocol 0.1.0, written from docs/protocol.md alone.

It takes a report from a simulated SNP firmware (docs/firmware-socket.md), opens the secret and writes it to standard
output. For tests only: Python cannot wipe keys from memory, which section 9 demands of a guest.
"""

import argparse
import hashlib
import json
import os
import select
import socket
import struct
import sys
import termios
import time

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap

import wire
from firmware import Firmware
from tty_mode import make_raw
from wire import Failure, Line

P521 = 2**521 - 1
P521_B = int("0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf07"
             "3573df883d2c34f1ef451fd46b503f00", 16)
ALGORITHM = "ECDH-ES+A256KW"


# Lines (section 12)


class UnixLine(Line):
    """A connection to a proxy's unix socket."""

    sent = 1  # how many times frame 1 was written

    def prepare(self):
        pass

    def ask(self, body):
        """Writes a frame and reads the answer. A proxy may answer before it has read, and close."""
        try:
            self.write_frame(body)
        except Failure as failure:
            if failure.code != "transport":
                raise
            try:
                return self.read_frame()
            except Failure:
                raise failure from None
        return self.read_frame()

    negotiate = ask

    def settle(self, failure):
        pass


class SerialLine(UnixLine):
    """A tty, with the rules of section 12.3 for guests."""

    QUIET, QUIET_MOST, AFTER_LOSS = 0.020, 2.0, 1.0
    REPEAT = 5.0

    def prepare(self):
        self.make_raw()
        limit = time.monotonic() + self.QUIET_MOST
        noisy = False
        while True:
            silence = time.monotonic() + self.QUIET
            heard = self.wait(select.POLLIN, min(silence, limit))
            if not heard and silence <= min(limit, self.deadline):
                return
            if not heard or time.monotonic() >= min(limit, self.deadline):
                raise Failure("line_noise" if noisy or heard else "deadline")
            if not self.read_some(4096):
                raise Failure("closed", lost=True)
            noisy = True

    def make_raw(self):
        make_raw(self.descriptor)

    def negotiate(self, body):
        self.write_frame(body)
        while self.deadline - time.monotonic() > self.REPEAT:
            if self.wait(select.POLLIN, time.monotonic() + self.REPEAT):
                break
            if self.deadline - time.monotonic() > self.REPEAT:
                self.write_frame(body)
                self.sent += 1
        return self.read_frame()

    def settle(self, failure):
        if failure.lost:
            time.sleep(self.AFTER_LOSS)


# The protocol


def negotiation_request(terms):
    request = {"version": [0, 1, 0], "tee": "snp"}
    if terms != wire.DEFAULT_TERMS:
        request["ext"] = terms
    return json.dumps(request, separators=(",", ":")).encode()


class Refusal(Failure):
    """The other side said no, with an error object."""

    def __init__(self, code, phase, detail):
        super().__init__(code, detail=detail)
        self.phase = phase


def read_error(message):
    """The refusal of section 10.2 that a message holds, or None."""
    ext = wire.optional(message, "ext", dict) or {}
    error = wire.optional(ext, "error", dict, "ext.")
    if error is None:
        return None
    code = wire.required(error, "code", str, "ext.error.")
    phase = wire.one_of(error, "phase", wire.PHASES, "ext.error.")
    detail = wire.printable(wire.required(error, "detail", str, "ext.error."))
    return Refusal(code if code in wire.WIRE_CODES else "refused", phase, detail)


def read_negotiation_response(message, terms):
    """Section 5: the challenge. First the form of every member, then what they say."""
    stated = terms != wire.DEFAULT_TERMS
    challenge = wire.optional(message, "challenge", str)
    if challenge is not None:
        challenge = wire.from_base64(challenge, "challenge")
    params = wire.optional(message, "params", list)
    if any(not isinstance(param, str) or isinstance(param, wire.Number) for param in params or []):
        raise Failure("json_type", "params")
    accepted = None
    if stated:
        accepted = wire.optional(wire.optional(message, "ext", dict) or {}, "accepted", dict, "ext.")
        if accepted is not None:
            accepted = wire.read_terms(accepted, "ext.accepted.")
    refusal = read_error(message)
    if refusal:
        if challenge is not None or params is not None or "accepted" in message["ext"]:
            raise Failure("contradiction", "ext.error")
        raise refusal
    if challenge is None or params is None:
        raise Failure("json_missing", "params" if challenge is not None else "challenge")
    if params != wire.PARAMS:
        raise Failure("host_chosen_params", "params")
    if not wire.CHALLENGE_MIN <= len(challenge) <= wire.CHALLENGE_MAX:
        raise Failure("host_chosen_challenge", "challenge")
    if stated and accepted != terms:
        raise Failure("ext_not_honoured", "ext.accepted")
    return challenge


def attestation_request(report, challenge, x, y):
    request = {"tee": "snp", "evidence": {"Snp": {"report": wire.to_base64(report)}},
               "challenge": wire.to_base64(challenge), "key": {"x": wire.to_base64(x), "y": wire.to_base64(y)}}
    return json.dumps(request, separators=(",", ":")).encode()


def nullable(message, name):
    return None if message.get(name) is None else wire.required(message, name, dict)


def read_attestation_response(message):
    """Section 8: ciphertext and what it takes to open it."""
    success = wire.required(message, "success", bool)
    secret = wire.optional(message, "secret", str)
    if secret is not None:
        secret = wire.bounded(secret, wire.SECRET_MAX, "secret")
    decryption = nullable(message, "decryption")
    if decryption is not None:
        at = "decryption."
        epk = wire.required(decryption, "epk", dict, at)
        decryption = {
            "x": wire.fixed(epk, "x", wire.COORDINATE, at + "epk."),
            "y": wire.fixed(epk, "y", wire.COORDINATE, at + "epk."),
            "wrapped_cek": wire.fixed(decryption, "wrapped_cek", 40, at),
            "aad": wire.bounded(wire.required(decryption, "aad", str, at), wire.AAD_MAX, at + "aad"),
            "iv": wire.fixed(decryption, "iv", 12, at),
            "tag": wire.fixed(decryption, "tag", 16, at),
        }
    token = nullable(message, "token")
    if token is not None:
        if not token:
            raise Failure("json_missing", "token.Jwt")
        if len(token) != 1 or not token.keys() <= {"Jwt", "Cwt"}:
            raise Failure("bad_value", "token")
        wire.required(token, next(iter(token)), str, "token.")
    refusal = read_error(message)
    if success and (secret is None or decryption is None or refusal):
        raise Failure("contradiction", "success")
    if not success:
        if secret is not None or decryption is not None:
            raise Failure("contradiction", "success")
        raise refusal or Failure("refused")
    return secret, decryption


def check_header(aad, x, y):
    """Section 9, step 1: the protected header of the JWE."""
    try:
        text = aad.decode("ascii")
    except UnicodeDecodeError:
        raise Failure("bad_base64", "aad") from None
    octets = wire.from_base64url(text, "aad")
    if len(octets) > wire.HEADER_MAX:
        raise Failure("too_large", "aad")
    header = wire.parse(octets)
    for name in ("apu", "apv", "crit", "zip"):
        if name in header:
            raise Failure("jwe_header", name)
    check_text(header, "alg", ALGORITHM)
    check_text(header, "enc", "A256GCM")
    epk = header_member(header, "epk", dict)
    check_text(epk, "kty", "EC")
    check_text(epk, "crv", "P-521")
    for name, expected in (("x", x), ("y", y)):
        found = wire.from_base64url(header_member(epk, name, str), name)
        if len(found) > wire.COORDINATE:
            raise Failure("too_large", name)
        if found != expected:
            raise Failure("jwe_epk_mismatch", name)


def header_member(container, name, kind):
    if name not in container:
        raise Failure("jwe_header", name)
    return wire.required(container, name, kind)


def check_text(container, name, expected):
    if header_member(container, name, str) != expected:
        raise Failure("jwe_header", name)


def agree(key, x, y):
    """Z of section 9, steps 2 and 3."""
    x, y = int.from_bytes(x, "big"), int.from_bytes(y, "big")
    if x >= P521 or y >= P521 or (y * y - (x * x * x - 3 * x + P521_B)) % P521:
        raise Failure("bad_point", "decryption.epk")
    peer = ec.EllipticCurvePublicNumbers(x, y, ec.SECP521R1()).public_key()
    return key.exchange(ec.ECDH(), peer).rjust(wire.COORDINATE, b"\0")


def open_secret(key, secret, decryption, allow_empty=False):
    """Section 9."""
    check_header(decryption["aad"], decryption["x"], decryption["y"])
    z = agree(key, decryption["x"], decryption["y"])
    other_info = struct.pack(">I", len(ALGORITHM)) + ALGORITHM.encode() + struct.pack(">III", 0, 0, 256)
    kek = hashlib.sha256(struct.pack(">I", 1) + z + other_info).digest()
    try:
        cek = aes_key_unwrap(kek, decryption["wrapped_cek"])
    except InvalidUnwrap:
        raise Failure("unwrap_failed", "decryption.wrapped_cek") from None
    try:
        plain = AESGCM(cek).decrypt(decryption["iv"], secret + decryption["tag"], decryption["aad"])
    except InvalidTag:
        raise Failure("tag_failed", "decryption.tag") from None
    if not plain and not allow_empty:
        raise Failure("empty_secret", "secret")
    return plain


def answers_repetition(message, terms, challenge):
    """Section 12.3, rule 3: says whether this is frame 2 once more; its refusal ends the attempt."""
    try:
        return "success" not in message and read_negotiation_response(message, terms) == challenge
    except Refusal as refusal:
        if refusal.phase == "negotiation":
            raise
        return False
    except Failure:
        return False


def read_answer(line, body, terms, challenge):
    """Frame 4, after what answers a repeated frame 1."""
    for _ in range(line.sent - 1):
        if not answers_repetition(wire.parse(body), terms, challenge):
            break
        body = line.read_frame()
    return read_attestation_response(wire.parse(body))


def attest(line, firmware, terms, allow_empty=False):
    """One attempt with one key: the secret, or a Failure."""
    try:
        key = ec.generate_private_key(ec.SECP521R1())
        point = key.public_key().public_numbers()
        x, y = (number.to_bytes(wire.COORDINATE, "big") for number in (point.x, point.y))
        line.prepare()
        response = line.negotiate(negotiation_request(terms))
        challenge = read_negotiation_response(wire.parse(response), terms)
        report = firmware.report(hashlib.sha512(x + y + challenge).digest())
        answer = line.ask(attestation_request(report, challenge, x, y))
        secret, decryption = read_answer(line, answer, terms, challenge)
        return open_secret(key, secret, decryption, allow_empty)
    except Failure as failure:
        line.settle(failure)
        raise


def attest_unix(path, firmware, terms, deadline, allow_empty=False):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        try:
            connection.settimeout(max(0.01, deadline - time.monotonic()))
            connection.connect(path)
        except OSError as error:
            raise Failure("transport", detail=error.strerror or "") from None
        return attest(UnixLine(connection.fileno(), deadline), firmware, terms, allow_empty)


def attest_serial(device, firmware, terms, deadline, allow_empty=False):
    try:
        descriptor = os.open(device, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError as error:
        raise Failure("transport", detail=error.strerror) from None
    try:
        return attest(SerialLine(descriptor, deadline), firmware, terms, allow_empty)
    except termios.error:
        raise Failure("transport", detail="not a tty") from None
    finally:
        os.close(descriptor)


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Attest this guest and print its secret.")
    way = parser.add_mutually_exclusive_group(required=True)
    way.add_argument("--unix", metavar="PATH", help="unix socket of a proxy")
    way.add_argument("--serial", metavar="DEVICE", help="tty whose other end is a proxy")
    parser.add_argument("--firmware", metavar="unix:PATH", required=True, help="socket of `snp-sim serve`")
    parser.add_argument("--resource", default=wire.DEFAULT_TERMS["resource"], help="repository/type/tag to ask for")
    parser.add_argument("--timeout", type=float, default=60.0, help="seconds for the whole attempt")
    parser.add_argument("--allow-empty-secret", action="store_true", help="accept a secret of no octets")
    options = parser.parse_args(arguments)
    if not options.firmware.startswith("unix:") or not wire.is_resource(options.resource) or options.timeout <= 0:
        parser.error("bad_config: --firmware, --resource or --timeout")
    deadline = time.monotonic() + options.timeout
    firmware = Firmware(options.firmware[len("unix:"):], deadline)
    terms = dict(wire.DEFAULT_TERMS, resource=options.resource)
    run, place = (attest_unix, options.unix) if options.unix else (attest_serial, options.serial)
    try:
        secret = run(place, firmware, terms, deadline, options.allow_empty_secret)
    except Failure as failure:
        print(failure, file=sys.stderr)
        return wire.exit_status(failure.code)
    sys.stdout.buffer.write(secret)
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
