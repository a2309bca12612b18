# SPDX-License-Identifier: Apache-2.0
"""What guest and proxy share: frames, JSON, base64 and codes of the guest <-> proxy protocol 0.1.0.

Written from docs/protocol.md and docs/errors.md alone. Section numbers in comments are those of protocol.md.
"""

import base64
import binascii
import os
import re
import select
import time

FRAME_MAX = 65536
DEPTH_MAX = 8
MEMBERS_MAX = 24
CHALLENGE_MIN, CHALLENGE_MAX = 16, 64
REPORT_OCTETS = 1184
CERTS_MAX = 16384
COORDINATE = 66
SECRET_MAX = 32768
HEADER_MAX = 1024
AAD_MAX = 1366
RESOURCE_MAX = 192
DETAIL_MAX = 200

PARAMS = ["EcPublicKeyBytes", "Challenge"]
PHASES = ("negotiation", "attestation")
TEES = ("az-snp-vtpm", "az-tdx-vtpm", "nvidia", "sev", "sgx", "snp", "tdx", "cca", "csv", "se", "hygondcu", "tpm",
        "sample", "sampledevice")
BINDINGS = ("svsm-sha512", "kbs-sha384")
KEYS = ("P-521", "P-256", "RSA-3072")
DEFAULT_TERMS = {"binding": "svsm-sha512", "key": "P-521", "resource": "default/sample/test"}

# Codes that a proxy may send, with the exit status of a guest (errors.md).
WIRE_CODES = {
    "refused": 1, "version_unsupported": 1, "tee_unsupported": 1, "malformed_request": 1, "challenge_mismatch": 1,
    "resource_refused": 1, "attestation_refused": 1, "secret_refused": 1, "secret_too_large": 1, "terms_refused": 1,
    "broker_unreachable": 3, "broker_timeout": 3, "broker_malformed": 3, "broker_nonce": 3, "broker_version": 3,
    "session_expired": 3, "proxy_busy": 3, "proxy_stopping": 3, "proxy_internal": 3, "guest_timeout": 3,
    "attempts_exhausted": 3, "broker_unavailable": 3,
}
OTHER_EXITS = {
    "bad_config": 2, "io_failed": 3, "internal": 3, "deadline": 3, "closed": 3, "transport": 3, "line_noise": 3,
    "firmware_unreachable": 4, "firmware_busy": 4, "firmware_refused": 4, "firmware_status": 4, "firmware_reply": 4,
    "vmpck_lost": 4,
}


def exit_status(code):
    """The guest's exit status for a code; what is in neither table is a protocol violation, 5."""
    return WIRE_CODES.get(code) or OTHER_EXITS.get(code) or 5


class Failure(Exception):
    """One documented code. `lost` says that the line can no longer be in step."""

    def __init__(self, code, at="", detail="", lost=False):
        super().__init__(code)
        self.code, self.at, self.detail, self.lost = code, at, detail, lost

    def __str__(self):
        note = "; ".join(part for part in (self.at and f"at {self.at}", self.detail) if part)
        return f"{self.code}: {note}" if note else self.code


def printable(text):
    """Section 10.2: at most 200 octets of printable ASCII."""
    return re.sub(rb"[^ -~]", b"?", text.encode("utf-8")[:DETAIL_MAX]).decode("ascii")


# Frames (section 2)


class Line:
    """A stream of octets over a file descriptor, with one deadline for every wait."""

    def __init__(self, descriptor, deadline=None, cancel=None):
        os.set_blocking(descriptor, False)
        self.descriptor, self.deadline, self.cancel = descriptor, deadline, cancel

    def wait(self, event, until=None):
        """Waits for `event` until the given time or the deadline; says whether it came."""
        limits = [limit for limit in (until, self.deadline) if limit is not None]
        poller = select.poll()
        poller.register(self.descriptor, event)
        if self.cancel is not None:
            poller.register(self.cancel, select.POLLIN)
        left = max(0, min(limits) - time.monotonic()) * 1000 + 1 if limits else None
        ready = [descriptor for descriptor, _ in poller.poll(left)]
        if self.cancel is not None and self.cancel in ready:
            raise Failure("proxy_stopping", lost=True)
        return bool(ready)

    def read_some(self, most):
        """1 to `most` octets, or none at the end of the stream."""
        while True:
            if not self.wait(select.POLLIN):
                raise Failure("deadline", lost=True)
            try:
                return os.read(self.descriptor, most)
            except BlockingIOError:
                continue
            except OSError as error:
                raise Failure("transport", detail=error.strerror, lost=True) from None

    def read_exactly(self, count, begun=b"", inside=False):
        """`begun` and as many octets as `count` lacks."""
        octets = bytearray(begun)
        while len(octets) < count:
            part = self.read_some(count - len(octets))
            if not part:
                raise Failure("truncated" if octets or inside else "closed", lost=True)
            octets += part
        return bytes(octets)

    def read_frame(self, begun=b""):
        length = int.from_bytes(self.read_exactly(8, begun), "little")
        if length == 0:
            raise Failure("frame_empty", lost=True)
        if length > FRAME_MAX:
            raise Failure("frame_too_large", lost=True)
        return self.read_exactly(length, inside=True)

    def write(self, octets):
        while octets:
            if not self.wait(select.POLLOUT):
                raise Failure("deadline", lost=True)
            try:
                octets = octets[os.write(self.descriptor, octets):]
            except BlockingIOError:
                continue
            except OSError as error:
                raise Failure("transport", detail=error.strerror, lost=True) from None

    def drop_waiting(self):
        """What a refusal answers beside its own frame: on lines that lose nothing, nothing."""

    def write_frame(self, body):
        self.write(frame(body))


def frame(body):
    return len(body).to_bytes(8, "little") + body


# JSON (section 3). The standard parser accepts lone surrogates, NaN and repeated names, hence this one.


class Number(str):
    """A JSON number, as it stands in the text."""


_SPACE = re.compile(r"[ \t\n\r]*")
_STRING = re.compile(r'"((?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*)"')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_ESCAPE = re.compile(r'\\(u[0-9A-Fa-f]{4}|.)')
_SHORT = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_WORDS = {"true": True, "false": False, "null": None}


class _Parser:
    def __init__(self, text):
        self.text, self.position = text, 0

    def space(self):
        self.position = _SPACE.match(self.text, self.position).end()

    def take(self, word):
        found = self.text.startswith(word, self.position)
        if found:
            self.position += len(word)
        return found

    def need(self, word):
        if not self.take(word):
            raise Failure("bad_json")

    def value(self, depth):
        self.space()
        if self.text.startswith(("{", "["), self.position) and depth > DEPTH_MAX:
            raise Failure("json_depth")
        if self.take("{"):
            return self.object(depth)
        if self.take("["):
            return self.array(depth)
        if self.text.startswith('"', self.position):
            return self.string()
        for word, meaning in _WORDS.items():
            if self.take(word):
                return meaning
        match = _NUMBER.match(self.text, self.position)
        if not match:
            raise Failure("bad_json")
        self.position = match.end()
        return Number(match.group())

    def object(self, depth):
        members = {}
        self.space()
        if self.take("}"):
            return members
        while True:
            self.space()
            name = self.string()
            if name in members:
                raise Failure("json_duplicate")
            if len(members) == MEMBERS_MAX:
                raise Failure("json_depth")
            self.space()
            self.need(":")
            members[name] = self.value(depth + 1)
            self.space()
            if self.take("}"):
                return members
            self.need(",")

    def array(self, depth):
        items = []
        self.space()
        if self.take("]"):
            return items
        while True:
            items.append(self.value(depth + 1))
            self.space()
            if self.take("]"):
                return items
            self.need(",")

    def string(self):
        match = _STRING.match(self.text, self.position)
        if not match:
            raise Failure("bad_json")
        self.position = match.end()
        text = _ESCAPE.sub(self.unescape, match.group(1))
        try:  # joins the halves of surrogate pairs and refuses lone ones
            return text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            raise Failure("bad_json") from None

    @staticmethod
    def unescape(match):
        escaped = match.group(1)
        return chr(int(escaped[1:], 16)) if len(escaped) == 5 else _SHORT.get(escaped, escaped)


def parse(body):
    """The object that a body holds."""
    try:
        parser = _Parser(body.decode("utf-8"))
    except UnicodeDecodeError:
        raise Failure("bad_json") from None
    value = parser.value(1)
    parser.space()
    if parser.position != len(parser.text):
        raise Failure("trailing_bytes")
    if not isinstance(value, dict):
        raise Failure("json_type")
    return value


# Members of an object; `at` names the object in messages.


def optional(container, name, kind, at=""):
    """The member, or None if it is absent; null is of no kind."""
    if name not in container:
        return None
    value = container[name]
    # Number is a str for Python, but not for the protocol.
    if not isinstance(value, kind) or (isinstance(value, Number) and kind is not Number):
        raise Failure("json_type", at + name)
    return value


def required(container, name, kind, at=""):
    if name not in container:
        raise Failure("json_missing", at + name)
    return optional(container, name, kind, at)


def u32(value, at):
    if not isinstance(value, Number) or not value.isdigit():
        raise Failure("json_type", at)
    if len(value) > 10 or int(value) >= 2**32:
        raise Failure("bad_value", at)
    return int(value)


def from_base64(text, at):
    try:
        octets = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise Failure("bad_base64", at) from None
    if to_base64(octets) != text:
        raise Failure("bad_base64", at)
    return octets


def to_base64(octets):
    return base64.b64encode(octets).decode("ascii")


def from_base64url(text, at):
    if not re.fullmatch("[A-Za-z0-9_-]*", text) or len(text) % 4 == 1:
        raise Failure("bad_base64", at)
    octets = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if to_base64url(octets) != text:
        raise Failure("bad_base64", at)
    return octets


def to_base64url(octets):
    return base64.urlsafe_b64encode(octets).decode("ascii").rstrip("=")


def fixed(container, name, length, at=""):
    """A required base64 member of one legal length."""
    octets = from_base64(required(container, name, str, at), at + name)
    if len(octets) != length:
        raise Failure("bad_length", at + name)
    return octets


def bounded(text, most, at):
    octets = from_base64(text, at)
    if len(octets) > most:
        raise Failure("too_large", at)
    return octets


def one_of(container, name, values, at=""):
    value = required(container, name, str, at)
    if value not in values:
        raise Failure("bad_value", at + name)
    return value


def is_resource(text):
    part = "[A-Za-z0-9_-][A-Za-z0-9_.-]*"
    return len(text) <= RESOURCE_MAX and re.fullmatch(f"{part}/{part}/{part}", text) is not None


def read_terms(terms, at):
    """The three terms of section 10.1, each of a legal form."""
    binding = one_of(terms, "binding", BINDINGS, at)
    key = one_of(terms, "key", KEYS, at)
    resource = required(terms, "resource", str, at)
    if len(resource.encode("utf-8")) > RESOURCE_MAX:
        raise Failure("too_large", at + "resource")
    if not is_resource(resource):
        raise Failure("bad_value", at + "resource")
    return {"binding": binding, "key": key, "resource": resource}
