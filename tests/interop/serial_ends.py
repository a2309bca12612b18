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


class Cable:
    """A null modem between two ttys, `guest` and `proxy` by name. What hostile or old hardware does to octets:
    `loses` so many of the guest's first, and holds the others back for `delay` seconds."""

    def __init__(self, loses=0, delay=0.0):
        self.loses, self.delay = loses, delay
        self.ends = pty.openpty(), pty.openpty()
        for _, slave in self.ends:
            tty.setraw(slave)
        self.guest, self.proxy = (os.ttyname(slave) for _, slave in self.ends)
        self.wake, self.end = os.pipe()
        self.thread = threading.Thread(target=self.carry, daemon=True)
        self.thread.start()

    def carry(self):
        guest, proxy = (master for master, _ in self.ends)
        held, release_at = b"", None
        while True:
            left = PATIENCE if release_at is None else max(0, release_at - time.monotonic())
            ready = select.select([guest, proxy, self.wake], [], [], left)[0]
            if self.wake in ready:
                return
            if proxy in ready:
                os.write(guest, os.read(proxy, 1024))
            if guest in ready:
                octets = os.read(guest, 1024)
                lost, self.loses = octets[:self.loses], max(0, self.loses - len(octets))
                held += octets[len(lost):]
                if release_at is None:
                    release_at = time.monotonic() + self.delay
            if release_at is not None and time.monotonic() >= release_at:
                os.write(proxy, held)
                held, release_at, self.delay = b"", None, 0.0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.end)
        self.thread.join(PATIENCE)
        for descriptor in (*self.ends[0], *self.ends[1], self.wake):
            os.close(descriptor)
