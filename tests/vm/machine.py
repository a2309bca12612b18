# SPDX-License-Identifier: Apache-2.0
"""One QEMU as `attestbed vm --print` says, whose parts and words a test chooses itself."""

import json
import os
import re
import select
import shlex
import subprocess
import time

import vm_test
from vm_test import OPTIONS, VmTest, attestbed

PATIENCE = 120.0
READY_PATIENCE = 60.0
NAME = 'attest-guest: '


def with_words(cmdline, words):
    """with_words is a kernel's command line with {name: value} in place of its words of these names; None: without."""
    kept = [word for word in cmdline.split() if word.partition('=')[0] not in words]
    return ' '.join(kept + [f'{name}={value}' for name, value in words.items() if value is not None])


def qemu_status(exit_status):
    """qemu_status is that of QEMU when its guest wrote 0x10 + exit_status to isa-debug-exit (QEMU: hw/misc/debugexit.c)."""
    return ((0x10 + exit_status) << 1) | 1


class Part:
    """A program that says `ready` and runs until it is stopped. Its log goes to a file."""

    def __init__(self, log, name, *arguments):
        self.log = log
        with open(log, 'wb') as file:
            self.process = subprocess.Popen([OPTIONS.bin / name, *map(str, arguments)], stdin=subprocess.DEVNULL,
                                            stdout=subprocess.PIPE, stderr=file, text=True)
        self.ready = []
        if select.select([self.process.stdout], [], [], READY_PATIENCE)[0]:
            self.ready = self.process.stdout.readline().split()
        if self.ready[:1] != ['ready']:
            self.stop()
            raise AssertionError(f'{name} is not ready: {log.read_text(errors="replace")}')

    def stop(self):
        self.process.terminate()
        self.wait()

    def kill(self):
        """kill ends it without a chance to say anything to anybody."""
        self.process.kill()
        self.wait()

    def wait(self):
        try:
            self.process.wait(30)
        finally:
            self.process.kill()
            self.process.stdout.close()

    def events(self, name):
        """events are those of this name in the log of attest-proxy, one JSON object a line."""
        # A line that is being written is not one yet.
        lines = self.log.read_text(errors='replace').rpartition('\n')[0].splitlines()
        return [event for event in map(json.loads, lines) if event.get('event') == name]


class Ending:
    """How a guest ended: its lines on the console, the result among them, and QEMU's own status."""

    def __init__(self, console, status):
        self.console = console
        self.status = status
        self.lines = [line.partition(NAME)[2] for line in console.splitlines() if NAME in line]
        results = [line.partition(' ')[2] for line in self.lines if line.startswith('result ')]
        self.result = json.loads(results[0]) if results else None


class Machine:
    def __init__(self, image, line, firmware, words, memory):
        shown = attestbed('vm', '--print', '--accel', 'tcg', '--image', image, '--memory', memory).stdout
        argv = shlex.split(shown.replace('\\\n', ' '))
        at = {'id=c3,': line, 'id=p0,': firmware}
        for mark, path in at.items():
            here = next(i for i, word in enumerate(argv) if mark in word)
            argv[here] = re.sub(r'path=[^,]*', lambda _, p=path: f'path={p}', argv[here])
        here = argv.index('-append') + 1
        argv[here] = with_words(argv[here], words)
        self.qemu = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.console = b''

    def kill(self):
        self.qemu.kill()
        self.qemu.wait()
        self.qemu.stdout.close()

    def read(self, until):
        """read is whether QEMU's console still is there after the next octets of it; None if none came in time."""
        left = until - time.monotonic()
        if left <= 0 or not select.select([self.qemu.stdout], [], [], left)[0]:
            return None
        octets = os.read(self.qemu.stdout.fileno(), 65536)
        self.console += octets
        return bool(octets)

    def wait(self, mark, seconds=PATIENCE):
        """wait returns when the console has shown `mark`."""
        until = time.monotonic() + seconds
        while mark not in self.console:
            if not self.read(until):
                raise AssertionError(f'no {mark} on the console: {self.console[-2000:]}')

    def end(self, seconds=PATIENCE):
        """end waits for QEMU to end by itself."""
        until = time.monotonic() + seconds
        while (there := self.read(until)) is not False:
            if there is None:
                raise AssertionError(f'QEMU does not end: {self.console[-2000:]}')
        return Ending(self.console.decode(errors='replace'), self.qemu.wait(10))


class MachineTest(VmTest):
    """A folder of sockets and certificates for each test. Whatever it starts is gone when it is over."""

    def setUp(self):
        self.folder = self.directory / self.id().rsplit('.', 1)[-1]
        self.folder.mkdir()
        subprocess.run([OPTIONS.bin / 'snp-sim', 'certs', '--seed', '1', '--out', self.at('ca')], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def at(self, name):
        return str(self.folder / name)

    def start(self, name, *arguments):
        part = Part(self.folder / f'{name}-{len(list(self.folder.iterdir()))}.log', name, *arguments)
        self.addCleanup(lambda: part.process.returncode is None and part.stop())
        return part

    def start_firmware(self, *more):
        firmware = self.start('snp-sim', 'serve', '--ca', self.at('ca'), '--unix', self.at('firmware'), *more)
        return firmware.ready[firmware.ready.index('measurement') + 1]

    def start_broker(self, measurement):
        """start_broker is the URL of a broker that releases the secret to guests of this launch digest."""
        secret = self.folder / 'secret'
        secret.write_text(vm_test.SECRET, encoding='ascii')
        return self.start('mock-kbs', '--listen', '127.0.0.1:0', '--root', self.at('ca/ark.pem'), '--certs',
                          self.at('ca'), '--measurement', measurement, '--resource',
                          f'default/sample/test={secret}').ready[1]

    def start_proxy(self, path, broker, *more):
        return self.start('attest-proxy', '--protocol', 'kbs', '--url', broker, '--unix-serial', path, *more)

    def start_all(self, *firmware_options):
        """start_all is a whole host, its proxy at COM3."""
        return self.start_proxy(self.at('line'), self.start_broker(self.start_firmware(*firmware_options)))

    def boot(self, words=None, line='line', image=None, memory=256):
        machine = Machine(image or self.image, self.at(line), self.at('firmware'), words or {}, memory)
        self.addCleanup(machine.kill)
        return machine

    def eventually(self, condition, what, seconds=60.0):
        until = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > until:
                raise AssertionError(f'after {seconds} s: {what}')
            time.sleep(0.05)
