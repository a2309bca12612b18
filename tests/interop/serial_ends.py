# SPDX-License-Identifier: Apache-2.0
"""Ends of serial lines, over ptys."""

import os
import pty
import select
import socket
import threading
import time
import tty

import guest
import wire
from world import PATIENCE


class Bridge:
    """A pty whose guest's end is a tty; what passes is carried to a proxy's unix socket, as QEMU would."""

    def __init__(self, path, noise=b"", to_proxy=b""):
        self.master, self.slave = pty.openpty()
        tty.setraw(self.slave)
        self.device = os.ttyname(self.slave)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(path)
        os.write(self.master, noise)
        self.socket.sendall(to_proxy)
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


def cross(first, second, wake):
    """A null modem between two ptys."""
    while True:
        ready = select.select([first, second, wake], [], [], PATIENCE)[0]
        if not ready or wake in ready:
            return
        for descriptor in ready:
            os.write(second if descriptor == first else first, os.read(descriptor, 1024))
