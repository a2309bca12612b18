#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How a guest ends (docs/guest-image.md): powered off by ACPI, as another program with the secret, or by a crash."""

import hashlib
import pathlib
import shutil
import subprocess
import unittest

import vm_test
from machine import MachineTest, qemu_status
from vm_test import OPTIONS, attestbed

BUSYBOX = pathlib.Path('/bin/busybox')
HERE = pathlib.Path(__file__).parent
NEXT = HERE / 'next_program.sh'
# Prints the payload of the key of type user in root's user keyring (keyctl(2): KEYCTL_SEARCH 10, KEYCTL_READ 11).
READ_KEY = r"""
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(int count, char** words) {
  char payload[256];
  long key = count == 2 ? syscall(SYS_keyctl, 10L, -4L, "user", words[1], 0L) : -1;
  long size = key < 0 ? -1 : syscall(SYS_keyctl, 11L, key, payload, (long)sizeof payload);
  return size < 0 || size > (long)sizeof payload || fwrite(payload, 1, (size_t)size, stdout) != (size_t)size;
}
"""
CRASH = r"""
#include <signal.h>
#include <unistd.h>
int main(void) {
  kill(1, SIGSEGV);
  for (;;) pause();
}
"""


class PowerOff(MachineTest):
    def test_by_acpi_where_no_port_is_named(self):
        self.start_all()
        ending = self.boot({'attest.debug_exit': None}).end()
        self.assertEqual(ending.result['outcome'], 'released', ending.lines[-1])
        self.assertEqual(ending.status, 0)


@unittest.skipUnless(BUSYBOX.exists(), f'no {BUSYBOX}: ./run deps brings it')
class Next(MachineTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        attestbed('image', '--kernel', OPTIONS.kernel, '--out', cls.image, '--add', f'{BUSYBOX}=/bin/busybox', '--add',
                  f'{NEXT}=/test/next', '--add', f'{HERE / "mount_root.sh"}=/test/start')

    def handed_on(self, place, found):
        """handed_on boots a guest that leaves its secret in `place` to the next program, which says what it found."""
        self.start_all()
        ending = self.boot({'attest.secret': place, 'attest.next': 'exec:/test/next'}).end()
        self.assertNotIn('Kernel panic', ending.console)
        self.assertEqual(ending.result['outcome'], 'released', ending.lines[-1])
        self.assertNotIn(vm_test.SECRET, ending.console)
        said = [line.strip() for line in ending.console.splitlines() if line.startswith('next: ')]
        digest = hashlib.sha256(vm_test.SECRET.encode()).hexdigest()
        # PID 1 became it; it powers off by itself, so that QEMU has no status.
        self.assertEqual(said, [f'next: process 1 at /run/secret: {found}', f'next: digest {digest}', 'next: done'])
        self.assertEqual(ending.status, 0)

    def test_reads_a_fifo_once(self):
        self.handed_on('fifo:/run/secret', 'fifo, mode 600')

    def test_reads_a_file(self):
        self.handed_on('file:/run/secret', 'regular file, mode 600')

    def test_reads_a_file_in_the_root_that_it_was_switched_to(self):
        self.start_all()
        ending = self.boot({'rdinit': '/test/start', 'attest.secret': 'file:/run/secret',
                            'attest.next': 'switch_root:/sysroot:/sbin/init'}).end()
        self.assertNotIn('Kernel panic', ending.console)
        self.assertEqual(ending.result['outcome'], 'released', ending.lines[-1])
        said = [line.strip() for line in ending.console.splitlines() if line.startswith('next: ')]
        digest = hashlib.sha256(vm_test.SECRET.encode()).hexdigest()
        self.assertEqual(said, ['next: root of the disk', 'next: process 1 at /run/secret: regular file, mode 600',
                                f'next: digest {digest}', 'next: done'])

    @unittest.skipUnless(shutil.which('gcc'), 'no gcc: it makes the program that reads the key')
    def test_reads_a_key(self):
        source, program = self.folder / 'read_key.c', self.folder / 'read_key'
        source.write_text(READ_KEY, encoding='ascii')
        subprocess.run(['gcc', '-static', '-Os', '-s', '-o', program, source], check=True)
        image = self.directory / 'image-that-reads-keys'
        attestbed('image', '--kernel', OPTIONS.kernel, '--out', image, '--add', f'{BUSYBOX}=/bin/busybox', '--add',
                  f'{NEXT}=/test/next', '--add', f'{program}=/bin/read-key')
        self.start_all()
        ending = self.boot({'attest.secret': 'key:disk', 'attest.next': 'exec:/test/next'}, image=image).end()
        self.assertEqual(ending.result['outcome'], 'released', ending.lines[-1])
        digest = hashlib.sha256(vm_test.SECRET.encode()).hexdigest()
        said = [line.strip() for line in ending.console.splitlines() if line.startswith('next: ')]
        self.assertEqual(said, ['next: process 1 finds the key', f'next: digest {digest}', 'next: done'])

    def test_that_is_not_there_is_said_before_anything_is_asked(self):
        self.start_firmware()
        ending = self.boot({'attest.next': 'exec:/test/absent'}).end()
        self.assertEqual((ending.result['code'], ending.result['exit']), ('io_failed', 3), ending.lines[-1])
        self.assertEqual(ending.status, qemu_status(3))
        self.assertEqual(ending.result['negotiation_requests'], 0)
        for word in ('/test/absent', '--add'):
            self.assertIn(word, ending.lines[-1])


@unittest.skipUnless(shutil.which('gcc'), 'no gcc: it makes the program that crashes PID 1')
class Crash(MachineTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        source, program = cls.directory / 'crash.c', cls.directory / 'crash'
        source.write_text(CRASH, encoding='ascii')
        subprocess.run(['gcc', '-static', '-Os', '-s', '-o', program, source], check=True)
        attestbed('image', '--kernel', OPTIONS.kernel, '--out', cls.image, '--sim-device', program)

    def crashes(self, words):
        ending = self.boot(words).end()
        self.assertNotIn('Kernel panic', ending.console)
        self.assertIsNone(ending.result)
        self.assertEqual([line for line in ending.lines if 'crashed' in line], ending.lines[-1:])
        self.assertIn('signal 11', ending.lines[-1])  # SIGSEGV (x86-64 psABI: asm/signal.h)
        self.assertIn('please report', ending.lines[-1])
        return ending.status

    def test_of_pid_1_is_one_line_and_a_status(self):
        self.assertEqual(self.crashes({}), qemu_status(6))

    def test_of_pid_1_is_one_line_and_power_off(self):
        self.assertEqual(self.crashes({'attest.debug_exit': None}), 0)


if __name__ == '__main__':
    unittest.main()
