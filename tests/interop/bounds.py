# SPDX-License-Identifier: Apache-2.0
"""How many attempts, at once and after another (section 11.5)."""

import collections
import threading
import time

from wire import Failure

ATTEMPTS, ATTEMPT_INTERVAL = 16, 10.0


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
    """A line's bucket of attempts, full at first. `loses_step`: an empty one is found before a frame was read."""

    def __init__(self, loses_step=True):
        self.tokens, self.at, self.loses_step = float(ATTEMPTS), time.monotonic(), loses_step

    def take(self):
        now = time.monotonic()
        self.tokens = min(ATTEMPTS, self.tokens + (now - self.at) / ATTEMPT_INTERVAL)
        self.at = now
        if self.tokens < 1:
            raise Failure("attempts_exhausted", lost=self.loses_step)
        self.tokens -= 1
