#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a guest cannot attest with: lines and devices that are not there, firmware that refuses, hosts that are silent.
One line on the console with cause and remedy, and QEMU's status says how it ended; exits are those of docs/errors.md."""

import socket
import threading
import unittest

from machine import MachineTest, qemu_status


class SilentHost(threading.Thread):
    """A host that takes a guest's line, and whatever comes over it, and never answers."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(1)
        self.octets = 0

    def run(self):
        guest, _ = self.listener.accept()
        while octets := guest.recv(4096):
            self.octets += len(octets)


class BadInputTest(MachineTest):
    def ends(self, words, code, exit_status, *said, seconds=120.0):
        """ends boots a guest with these words, which must end with `code` and say so in its last line."""
        ending = self.boot(words).end(seconds)
        self.assertNotIn('Kernel panic', ending.console)
        self.assertNotIn('Call Trace', ending.console)
        self.assertIsNotNone(ending.result, ending.console)
        self.assertEqual((ending.result.get('code'), ending.result['exit']), (code, exit_status), ending.lines[-1])
        self.assertEqual(ending.status, qemu_status(exit_status), ending.lines[-1])
        # The result is the line before the last: cause and remedy are one line, and nothing follows it.
        self.assertEqual([line for line in ending.lines if line.startswith('result ')], ending.lines[-2:-1])
        self.assertIn('failed', ending.lines[-1])
        for word in (code, *said):
            self.assertIn(word, ending.lines[-1])
        return ending


class LinesThatAreAbsent(BadInputTest):
    def setUp(self):
        super().setUp()
        self.start_firmware()

    def test_a_tty_that_the_machine_has_not(self):
        self.ends({'attest.transport': 'serial:/dev/ttyS9'}, 'transport', 3, '/dev/ttyS9', 'attest.transport=')

    def test_a_uart_that_the_machine_has_not(self):
        self.ends({'attest.transport': 'uart:0x2e8'}, 'uart_absent', 3, 'third serial port')

    def test_a_virtio_port_that_the_machine_has_not(self):
        self.ends({'attest.transport': 'virtio-serial:no.such.port'}, 'transport', 3, 'no.such.port',
                  'there are: attestbed.firmware', 'virtserialport')

    def test_a_host_that_never_answers(self):
        host = SilentHost(self.at('line'))
        host.start()
        ending = self.ends({'attest.timeout': '3'}, 'deadline', 3, 'see whether the other side runs')
        # It did ask: its first frame, which is 8 + 31 octets (docs/protocol.md, section 4), once within 5 seconds.
        self.assertEqual(ending.result['negotiation_requests'], 1)
        self.assertEqual(host.octets, 39)


class DevicesThatAreAbsent(BadInputTest):
    def setUp(self):
        super().setUp()
        self.start_all()

    def test_a_device_that_the_machine_has_not(self):
        self.ends({'attest.firmware': 'sev-guest:/dev/absent'}, 'firmware_unreachable', 4, 'no such device')

    def test_a_device_of_another_kind(self):
        self.ends({'attest.firmware': 'sev-guest:/dev/null'}, 'vmpck_lost', 4, 'no sev-guest device')

    def test_tsm_without_a_provider(self):
        self.ends({'attest.firmware': 'tsm'}, 'firmware_unreachable', 4, 'configfs')

    def test_no_firmware_at_all(self):
        self.ends({'attest.firmware': 'auto'}, 'firmware_unreachable', 4, 'module sev-guest')


class FirmwareThatRefuses(BadInputTest):
    """Statuses of the SEV-SNP firmware (ABI specification, table of status codes) and of Linux' sev-guest.h."""

    def refuses(self, fault, code, *said, **more):
        self.start_all('--fault', fault)
        return self.ends({}, code, 4, *said, **more)

    def test_invalid_param(self):
        self.refuses('1+:firmware_status:0x16', 'firmware_refused', 'INVALID_PARAM (0x16)')

    def test_invalid_key(self):
        self.refuses('1+:firmware_status:0x27', 'firmware_refused', 'INVALID_KEY (0x27)')

    def test_invalid_len(self):
        # The driver sends the message again as a plain request, to keep its counters in step; a refusal of that costs the key.
        self.refuses('1+:invalid_len', 'vmpck_lost', 'VMPCK')

    def test_busy_until_the_driver_gives_up(self):
        self.refuses('1+:busy', 'firmware_busy', 'throttles', seconds=300.0)

    def test_silence(self):
        self.refuses('1+:silence', 'firmware_unreachable', seconds=300.0)


if __name__ == '__main__':
    unittest.main()
