# SPDX-License-Identifier: Apache-2.0
"""The proxy's end of a serial line: section 12.3, rules of the proxy."""

import select
import time

from wire import FRAME_MAX, Failure, Line

SKIPPED_MOST = 4096
FIRST_LEAST = 2
SEARCH_SECONDS = 5.0
SILENCE = 0.5
DRAIN_SECONDS = 10.0


def is_length(octets):
    """Whether these are the eight octets of a first frame's length."""
    return len(octets) == 8 and FIRST_LEAST <= int.from_bytes(octets, "little") <= FRAME_MAX


class SerialLine(Line):
    """`for_ever` says that the line is a device: it is drained as long as it takes, a connection not."""

    def __init__(self, descriptor, for_ever):
        super().__init__(descriptor)
        self.for_ever = for_ever

    def find_frame(self, first, seconds):
        """Rule 1: the nine octets that begin a frame. Octets of another kind may be followed by none for `seconds`."""
        window, dropped = bytearray(first), 0
        while True:
            while len(window) < 9:
                self.deadline = time.monotonic() + seconds
                if not self.wait(select.POLLIN):
                    if is_length(window):
                        raise Failure("deadline", lost=True)
                    raise Noisy(again=True)
                octets = self.read_some(9 - len(window))
                if not octets:
                    raise Failure("closed", lost=True)
                window += octets
            if is_length(window[:8]) and window[8:] == b"{":
                return bytes(window)
            if dropped == SKIPPED_MOST:
                raise Noisy
            del window[0]
            dropped += 1

    def read_found(self, begun):
        """The body of the frame that begins with those nine octets."""
        return self.read_exactly(int.from_bytes(begun[:8], "little"), begun[8:], inside=True)

    def drop_waiting(self):
        """Rule 3: the answer is a refusal, and it answers whatever already waits."""
        while self.wait(select.POLLIN, time.monotonic()) and self.read_some(4096):
            pass

    def drain(self, cancel):
        """Rule 4: says whether the line fell silent and is idle."""
        self.deadline, self.cancel = None if self.for_ever else time.monotonic() + DRAIN_SECONDS, cancel
        try:
            while self.wait(select.POLLIN, time.monotonic() + SILENCE):
                if not self.read_some(4096):
                    return False
            return self.deadline is None or time.monotonic() < self.deadline
        except Failure:
            return False


class SerialAttempts:
    """Attempts on one serial line, one after another, for a Proxy."""

    def __init__(self, proxy, line, budget):
        self.proxy, self.line, self.budget = proxy, line, budget

    def serve(self):
        while not self.proxy.stopping and self.serve_one():
            pass

    def serve_one(self):
        """Says whether the line is idle again."""
        line, proxy = self.line, self.proxy
        first = proxy.first_octet(line)
        if not first:
            return False
        attempt = proxy.new_attempt()
        line.cancel = proxy.end
        in_step = proxy.run_attempt(line, attempt, lambda: self.find_and_exchange(first, attempt))
        return in_step or line.drain(proxy.idle)

    def find_and_exchange(self, first, attempt):
        begun = self.line.find_frame(first, SEARCH_SECONDS)
        self.line.deadline = time.monotonic() + self.proxy.settings.timeout
        self.proxy.in_session(lambda: self.exchange(self.line.read_found(begun), attempt))

    def exchange(self, body, attempt):
        """Rule 2: every NegotiationRequest begins an attempt; the same one again gets the same answer."""
        served, negotiated = None, None
        while True:
            attempt.phase = "negotiation"
            self.budget.take()
            if body == served:
                self.proxy.send(self.line, negotiated.response)
            else:
                served, negotiated = body, self.proxy.negotiate(self.line, body, attempt)
            attempt.phase = "attestation"
            body = self.line.read_frame()
            if not self.proxy.is_negotiation_request(body):
                return self.proxy.release(self.line, negotiated, body, attempt)
            self.line.deadline = time.monotonic() + self.proxy.settings.timeout


class Noisy(Exception):
    """What came is no frame, and nothing is told. `again`: nothing followed it, so the line is idle; otherwise it was more
    than rule 1 skips, and the line is drained."""

    def __init__(self, again=False):
        super().__init__()
        self.again = again
