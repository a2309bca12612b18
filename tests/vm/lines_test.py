#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The rules of serial lines, in a VM: the proxy comes late, comes again, or there is noise before the first frame."""

import json
import os
import re
import select
import shlex
import socket
import subprocess
import threading
import time
import unittest

import vm_test
from vm_test import OPTIONS, VmTest, attestbed

PATIENCE = 120.0


class Part:
    """A program that says `ready` and runs until it is stopped."""

    def __init__(self, name, *arguments):
        self.process = subprocess.Popen([OPTIONS.bin / name, *map(str, arguments)], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.ready = self.process.stdout.readline().split()
        assert self.ready[:1] == ['ready'], f'{name} is not ready'

    def stop(self):
        self.process.terminate()
        self.process.wait(30)
        self.process.stdout.close()


class Noise(threading.Thread):
    """A cable that QEMU connects to: noise in both directions before the first octet of either side, then silence, then
    what the two say."""

    def __init__(self, path, proxy):
        super().__init__(daemon=True)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(1)
        self.proxy = proxy

    def run(self):
        guest, _ = self.listener.accept()
        host = socket.socket(socket.AF_UNIX)
        host.connect(self.proxy)
        guest.sendall(b'login: \x00\xff\r\n' * 3)
        host.sendall(b'\x1b[2J noise before the first frame \xff\xff')
        while True:
            for readable in select.select([guest, host], [], [])[0]:
                octets = readable.recv(4096)
                if not octets:
                    return
                (host if readable is guest else guest).sendall(octets)


class Lines(VmTest):
    def setUp(self):
        self.parts = []
        attest = self.directory / self.id().rsplit('.', 1)[-1]
        attest.mkdir()
        self.at = lambda name: str(attest / name)
        subprocess.run([OPTIONS.bin / 'snp-sim', 'certs', '--seed', '1', '--out', self.at('ca')], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        firmware = self.start('snp-sim', 'serve', '--ca', self.at('ca'), '--unix', self.at('firmware'))
        measurement = firmware.ready[firmware.ready.index('measurement') + 1]
        with open(self.at('secret'), 'w', encoding='ascii') as file:
            file.write(vm_test.SECRET)
        self.broker = self.start('mock-kbs', '--listen', '127.0.0.1:0', '--root', self.at('ca/ark.pem'), '--certs',
                                 self.at('ca'), '--measurement', measurement, '--resource',
                                 f'default/sample/test={self.at("secret")}').ready[1]

    def tearDown(self):
        for part in reversed(self.parts):
            part.stop()

    def start(self, name, *arguments):
        part = Part(name, *arguments)
        self.parts.append(part)
        return part

    def proxy(self, path, *more):
        return self.start('attest-proxy', '--protocol', 'kbs', '--url', self.broker, '--unix-serial', path, *more)

    def boot(self, line):
        """boot starts QEMU as `attestbed vm --print` says, with COM3 at `line`."""
        shown = attestbed('vm', '--print', '--accel', 'tcg', '--image', self.image).stdout
        argv = shlex.split(shown.replace('\\\n', ' '))
        at = {'id=c3,': line, 'id=p0,': self.at('firmware')}
        for i, word in enumerate(argv):
            for mark, path in at.items():
                if mark in word:
                    argv[i] = re.sub(r'path=[^,]*', lambda _, p=path: f'path={p}', word)
        self.qemu = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.console = b''

    def wait(self, mark, until):
        while mark not in self.console:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self.qemu.stdout], [], [], left)[0]:
                raise AssertionError(f'no {mark}: {self.console[-2000:]}')
            octets = os.read(self.qemu.stdout.fileno(), 65536)
            if not octets:
                raise AssertionError(f'QEMU ended without {mark}: {self.console[-2000:]}')
            self.console += octets

    def finish(self):
        try:
            self.wait(b'attest-guest: result ', time.monotonic() + PATIENCE)
            self.wait(b'}\r\n', time.monotonic() + 10)
            result = re.search(rb'attest-guest: result ({.*})', self.console)
            return json.loads(result[1])
        finally:
            self.qemu.kill()
            self.qemu.wait()
            self.qemu.stdout.close()

    def test_a_proxy_that_comes_late(self):
        self.boot(self.at('late'))
        self.wait(b'attest-guest: up ', time.monotonic() + PATIENCE)
        time.sleep(6)  # longer than the guest waits before it says its first frame again
        self.proxy(self.at('late'))
        result = self.finish()
        self.assertEqual(result['outcome'], 'released', result)
        self.assertGreater(result['negotiation_requests'], 1)

    def test_a_proxy_that_is_started_again(self):
        first = self.proxy(self.at('again'))
        self.boot(self.at('again'))
        first.stop()
        self.parts.remove(first)
        self.wait(b'attest-guest: up ', time.monotonic() + PATIENCE)
        self.proxy(self.at('again'), '--force')
        self.assertEqual(self.finish()['outcome'], 'released')

    def test_noise_before_the_first_frame(self):
        self.proxy(self.at('proxy'))
        Noise(self.at('noisy'), self.at('proxy')).start()
        self.boot(self.at('noisy'))
        self.assertEqual(self.finish()['outcome'], 'released')


if __name__ == '__main__':
    unittest.main()
