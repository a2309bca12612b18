#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`attestbed vm` whose QEMU dies or hangs, and which is itself ended while a guest boots."""

import os
import pathlib
import re
import signal
import subprocess
import time
import unittest

from vm_test import OPTIONS, VmTest, attestbed

# What `--version` says is QEMU's own first line, of Debian 12.
AS_QEMU = """#!/bin/sh
if [ "$1" = --version ]; then
  echo 'QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)'
  exit 0
fi
echo 'qemu-system-x86_64: something is wrong' >&2
"""


class Dies(VmTest):
    def dies(self, how, *said, more=()):
        qemu = self.directory / 'qemu'
        qemu.write_text(AS_QEMU + how + '\n', encoding='ascii')
        qemu.chmod(0o755)
        error = attestbed('vm', '--accel', 'tcg', '--image', self.image, '--qemu', qemu, *more,
                          code=3).stderr
        for words in ('attestbed vm: qemu: ', *said, 'something is wrong'):
            self.assertIn(words, error)

    def test_with_an_error_of_its_own(self):
        self.dies('exit 1', 'QEMU ended (exit 1) before the guest said how it ended')

    def test_by_a_signal(self):
        self.dies('kill -9 $$', 'QEMU ended (signal 9 (Killed)) before the guest said how it ended')

    def test_with_the_status_of_a_released_guest_that_said_nothing(self):
        self.dies('exit 33', 'before the guest said how it ended', 'attest-guest said nothing')

    def test_not_but_stands_still(self):
        began = time.monotonic()
        self.dies('exec sleep 1000', 'the guest gave no result within 3 s', 'so QEMU was stopped',
                  more=('--timeout', 2, '--boot-timeout', 1))
        self.assertLess(time.monotonic() - began, 60)
        self.assertEqual(processes_with(str(self.directory / 'qemu')), [])

    def test_and_is_none(self):
        done = attestbed('vm', '--image', self.image, '--qemu', '/bin/false', code=3)
        self.assertIn('attestbed vm: qemu: says no version', done.stderr)


def processes_with(text):
    """processes_with are the numbers of the processes that have this text on their command line."""
    found = []
    for entry in pathlib.Path('/proc').glob('[0-9]*/cmdline'):
        try:
            if text.encode() in entry.read_bytes():
                found.append(int(entry.parent.name))
        except OSError:
            pass  # it ended meanwhile, or is somebody else's
    return found


class Interrupted(VmTest):
    def interrupted(self, number):
        """interrupted is how `attestbed vm` ends by this signal while its guest boots; nothing of it is left."""
        command = subprocess.Popen([OPTIONS.bin / 'attestbed', 'vm', '--accel', 'tcg', '--image', self.image],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(command.kill)
        scratch = self.scratch_of_qemu(command.pid)
        # Of this run alone: QEMU, firmware, broker and proxy have its folder on their command lines.
        self.assertGreaterEqual(len(processes_with(scratch)), 4)
        time.sleep(1)
        command.send_signal(number)
        _, error = command.communicate(timeout=30)
        until = time.monotonic() + 20
        while (left := processes_with(scratch)) or os.path.exists(scratch):
            if time.monotonic() > until:
                for process in left:
                    os.kill(process, signal.SIGKILL)
                self.fail(f'left behind: processes {left}, or {scratch}')
            time.sleep(0.1)
        return command.returncode, error

    def scratch_of_qemu(self, parent):
        until = time.monotonic() + 60
        while time.monotonic() < until:
            for entry in pathlib.Path('/proc').glob('[0-9]*'):
                try:
                    # proc(5): the parent's number is the second field behind the name in parentheses.
                    mine = int((entry / 'stat').read_text().rpartition(')')[2].split()[1]) == parent
                    words = (entry / 'cmdline').read_bytes().decode(errors='replace') if mine else ''
                except OSError:
                    continue
                found = re.search(r'path=(/tmp/attestbed-[^/,]*)', words)
                if found:
                    return found[1]
            time.sleep(0.02)
        raise AssertionError('attestbed vm starts no QEMU')

    def test_by_sigterm(self):
        status, error = self.interrupted(signal.SIGTERM)
        self.assertEqual(status, 3, error)
        self.assertIn('attestbed vm: ', error)

    def test_by_sigkill(self):
        self.assertEqual(self.interrupted(signal.SIGKILL)[0], -signal.SIGKILL)


if __name__ == '__main__':
    unittest.main()
