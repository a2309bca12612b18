#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The rules of serial lines (docs/protocol.md, section 12.3), in a VM: the proxy comes late, is gone and comes again, or
there is noise before the first frame."""

import fcntl
import select
import socket
import struct
import termios
import threading
import time
import unittest
import urllib.parse

from machine import MachineTest, qemu_status


class Noise(threading.Thread):
    """A cable that QEMU connects to: noise in both directions before the first octet of either side, then silence, then
    what the two say."""

    # Neither has a place where eight octets are a length that a brace follows. What the guest gets is more than a 16550
    # holds, so that opening the port, which empties it, cannot be what drops it.
    TO_GUEST = b'login: \x00\xff\r\n' * 12
    TO_HOST = b'\x1b[2J noise before the first frame \xff\xff'
    FRAME = b'\x1f\0\0\0\0\0\0\0{'  # how frame 1 begins: its length is 31 (docs/protocol.md, section 4)

    def __init__(self, path, proxy):
        super().__init__(daemon=True)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(1)
        self.proxy = proxy
        self.from_guest = b''
        self.not_read = None

    def run(self):
        guest, _ = self.listener.accept()
        host = socket.socket(socket.AF_UNIX)
        host.connect(self.proxy)
        guest.sendall(self.TO_GUEST)
        while True:
            for readable in select.select([guest, host], [], [])[0]:
                octets = readable.recv(4096)
                if not octets:
                    return
                if readable is guest:
                    # Not before: what is followed by 5 seconds of silence the proxy drops without a word.
                    if not self.from_guest:
                        host.sendall(self.TO_HOST)
                    self.from_guest += octets
                if self.not_read is None and self.FRAME in self.from_guest:
                    self.not_read = struct.unpack('i', fcntl.ioctl(guest, termios.TIOCOUTQ, bytes(4)))[0]
                (host if readable is guest else guest).sendall(octets)


class Cable(threading.Thread):
    """The way to a broker, which carries requests until one has `mark` in it: from there nothing passes any more."""

    def __init__(self, url, mark):
        super().__init__(daemon=True)
        self.far = urllib.parse.urlparse(url)
        self.mark = mark
        self.held = threading.Event()
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.url = f'http://127.0.0.1:{self.listener.getsockname()[1]}'

    def run(self):
        while True:
            near, _ = self.listener.accept()
            threading.Thread(target=self.carry, args=(near,), daemon=True).start()

    def carry(self, near):
        far = socket.create_connection((self.far.hostname, self.far.port))
        while True:
            for readable in select.select([near, far], [], [])[0]:
                octets = readable.recv(65536)
                if not octets:
                    return
                if readable is near and self.mark in octets:
                    self.held.set()
                    near.recv(1)  # until the proxy is gone, or gives up
                    return
                (far if readable is near else near).sendall(octets)


class Lines(MachineTest):
    def setUp(self):
        super().setUp()
        self.broker = self.start_broker(self.start_firmware())

    def released(self, machine):
        ending = machine.end()
        self.assertEqual(ending.result['outcome'], 'released', ending.lines[-1])
        self.assertEqual(ending.status, qemu_status(0))
        return ending.result

    def test_a_proxy_that_comes_late(self):
        self.comes_late({})

    def test_a_proxy_that_comes_late_to_a_uart_without_the_kernels_driver(self):
        self.comes_late({'attest.transport': 'uart:0x3e8'})

    def comes_late(self, words):
        machine = self.boot(words)
        machine.wait(b'attest-guest: phase firmware')
        time.sleep(6)  # longer than the guest waits before it says its first frame again
        self.start_proxy(self.at('line'), self.broker)
        self.assertGreater(self.released(machine)['negotiation_requests'], 1)

    def proxy_that_dies(self, mark, **words):
        """proxy_that_dies is a guest whose proxy was killed while it waited for the broker's answer to the request with
        this mark, and another proxy at the same path, which reaches the broker."""
        cable = Cable(self.broker, mark)
        cable.start()
        first = self.start_proxy(self.at('line'), cable.url)
        machine = self.boot({f'attest.{name}': value for name, value in words.items()})
        machine.wait(b'attest-guest: phase firmware')
        self.assertTrue(cable.held.wait(60), 'the proxy asks no broker')
        negotiated = len(first.events('negotiated'))
        first.kill()
        return machine, negotiated, self.start_proxy(self.at('line'), self.broker, '--force')

    def test_a_proxy_that_is_started_again_before_it_answered(self):
        # No octet of an answer came: the guest repeats its first frame, and the second proxy knows of no first.
        machine, negotiated, second = self.proxy_that_dies(b'POST /kbs/v0/auth')
        self.assertEqual(negotiated, 0)
        self.assertEqual(self.released(machine)['negotiation_requests'], 2)
        self.assertEqual(len(second.events('released')), 1)

    def test_a_proxy_that_is_started_again_after_it_answered(self):
        # From the first octet of an answer on the guest repeats nothing, and one key serves one attempt: it ends.
        machine, negotiated, second = self.proxy_that_dies(b'POST /kbs/v0/attest', timeout=8)
        self.assertEqual(negotiated, 1)
        ending = machine.end()
        self.assertEqual((ending.result['code'], ending.result['exit']), ('deadline', 3), ending.lines[-1])
        self.assertEqual(ending.result['negotiation_requests'], 1)
        self.assertEqual(ending.status, qemu_status(3))
        self.assertEqual(second.events('negotiated'), [])

    def test_a_proxy_that_is_told_to_stop_before_it_answered(self):
        # It has the time to tell its guest, which ends with the proxy's own code.
        cable = Cable(self.broker, b'POST /kbs/v0/auth')
        cable.start()
        proxy = self.start_proxy(self.at('line'), cable.url)
        machine = self.boot()
        machine.wait(b'attest-guest: phase firmware')
        self.assertTrue(cable.held.wait(60), 'the proxy asks no broker')
        proxy.stop()
        ending = machine.end()
        self.assertEqual((ending.result['code'], ending.result['exit']), ('proxy_stopping', 3), ending.lines[-1])
        self.assertEqual(ending.status, qemu_status(3))

    def test_noise_before_the_first_frame_of_a_uart_without_the_kernels_driver(self):
        proxy = self.start_proxy(self.at('line'), self.broker)
        noise = Noise(self.at('noisy'), self.at('line'))
        noise.start()
        self.released(self.boot({'attest.transport': 'uart:0x3e8'}, line='noisy'))
        # No tty, no echo: what the proxy drops is the noise alone.
        self.assertEqual([event['octets'] for event in proxy.events('skipped')], [len(Noise.TO_HOST)])

    def test_noise_before_the_first_frame(self):
        proxy = self.start_proxy(self.at('line'), self.broker)
        noise = Noise(self.at('noisy'), self.at('line'))
        noise.start()
        self.released(self.boot(line='noisy'))
        # Rule 1 of the guest: before its first octet it reads and drops what comes.
        self.assertEqual(noise.not_read, 0)
        # Rule 1 of the proxy: it drops octets until eight of them form a length. What a tty echoes between its open and
        # the raw mode that follows is noise as well.
        echoed = noise.from_guest.index(Noise.FRAME)
        self.assertEqual([event['octets'] for event in proxy.events('skipped')], [len(Noise.TO_HOST) + echoed])


if __name__ == '__main__':
    unittest.main()
