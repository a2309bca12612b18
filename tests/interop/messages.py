# SPDX-License-Identifier: Apache-2.0
"""Messages of both ends, whole ones and with one thing wrong."""

import hashlib
import json
import os
import struct

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

import guest
import wire
from wire import frame, to_base64, to_base64url
from world import OWN, PARAMS


def compact(message):
    return json.dumps(message, separators=(",", ":")).encode()


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


REMOVED = object()


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
