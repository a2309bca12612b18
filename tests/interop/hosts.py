# SPDX-License-Identifier: Apache-2.0
"""Hostile hosts, scripted or with the real broker behind them; and a guest that writes what it likes."""

import contextlib
import json
import os
import socket
import threading
import time

from cryptography.hazmat.primitives.asymmetric import ec

import proxy
import wire
from messages import compact
from wire import frame, to_base64
from world import PATIENCE, REQUEST_1, WORLD


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
