# SPDX-License-Identifier: Apache-2.0
"""Where lines come from: listening sockets, each connection a line, and ttys. One thread for each."""

import contextlib
import os
import select
import socket
import termios
import threading
import time

from proxy_messages import error_message, to_body
from tty_mode import make_raw
from wire import Failure, Line


class Doors:
    """`idle` is readable and `stopping` true when no line is to begin an attempt any more."""

    def __init__(self, max_lines):
        self.max_lines, self.listeners, self.acceptors, self.threads = max_lines, {}, [], set()
        self.idle, self.idle_writer = os.pipe()
        self.stopping = False

    def serve_device(self, device, serve):
        """A tty whose other side went away is opened again, until it is back."""
        while not self.stopping:
            try:
                descriptor = open_device(device)
            except OSError:
                descriptor = None
            if descriptor is not None:
                serve(descriptor)
                os.close(descriptor)
            select.select([self.idle], [], [], 0.1)

    def begin(self, work, connection=None):
        """Starts a thread that ends with `work`, and with the connection."""
        def run():
            try:
                with connection or contextlib.nullcontext():
                    work()
            finally:
                self.threads.discard(threading.current_thread())
        thread = threading.Thread(target=run, daemon=True)
        self.threads.add(thread)
        thread.start()

    def accept(self, listener, serve):
        poller = select.poll()
        poller.register(listener, select.POLLIN)
        poller.register(self.idle, select.POLLIN)
        while not self.stopping:
            poller.poll()
            try:
                connection = listener.accept()[0]
            except BlockingIOError:
                continue
            except OSError:
                time.sleep(0.1)  # out of descriptors: some line will end
                continue
            if len(self.threads) >= self.max_lines:
                self.turn_away(connection)
                continue
            self.begin(lambda connection=connection: serve(connection), connection)

    @staticmethod
    def turn_away(connection):
        with connection:
            body = to_body(error_message("proxy_busy", "negotiation", "no line is free"))
            try:
                Line(connection.fileno(), time.monotonic()).write_frame(body)
            except Failure:
                pass

    def listen(self, path, serve):
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        mask = os.umask(0o177)
        try:
            listener.bind(path)
        finally:
            os.umask(mask)
        self.listeners[path] = listener
        listener.listen(64)
        listener.setblocking(False)
        thread = threading.Thread(target=self.accept, args=(listener, serve), daemon=True)
        self.acceptors.append(thread)
        thread.start()

    def shut(self):
        """No more lines and attempts; lines without an attempt end."""
        self.stopping = True
        os.close(self.idle_writer)
        for thread in self.acceptors:
            thread.join()
        for path, listener in self.listeners.items():
            listener.close()
            os.unlink(path)

    def join(self, seconds):
        limit = time.monotonic() + seconds
        for thread in list(self.threads):
            thread.join(max(0, limit - time.monotonic()))


def open_device(device):
    descriptor = os.open(device, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        make_raw(descriptor)
    except termios.error:
        os.close(descriptor)
        raise OSError(0, "not a tty") from None
    return descriptor
