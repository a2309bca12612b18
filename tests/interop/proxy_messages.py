# SPDX-License-Identifier: Apache-2.0
"""What a proxy reads of frames 1 and 3, and its error frames. Section numbers are those of protocol.md."""

import hashlib
import json

import wire
from wire import Failure


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
