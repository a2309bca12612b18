#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""vsock, where the host may have none: guest, proxy and broker in one VM, and AF_VSOCK's loopback between the first two."""

import pathlib
import re
import subprocess
import unittest

import vm_test
from machine import MachineTest, qemu_status
from vm_test import OPTIONS, attestbed

BUSYBOX = pathlib.Path('/bin/busybox')
HERE = pathlib.Path(__file__).parent


def libraries(program):
    """libraries are the shared objects that a program loads, its loader among them."""
    told = subprocess.run(['ldd', program], check=True, capture_output=True, text=True).stdout
    return set(re.findall(r'(/\S+) \(0x', told))


@unittest.skipUnless(BUSYBOX.exists(), f'no {BUSYBOX}: ./run deps brings it')
class Vsock(MachineTest):
    def test_through_the_loopback(self):
        measurement = self.start_firmware()
        secret = self.folder / 'secret'
        secret.write_text(vm_test.SECRET, encoding='ascii')
        added = {BUSYBOX: '/bin/busybox', HERE / 'host_inside.sh': '/test/start', secret: '/test/secret'}
        for name in ('mock-kbs', 'attest-proxy'):
            added[OPTIONS.bin / name] = f'/bin/{name}'
            added |= {pathlib.Path(path): path for path in libraries(OPTIONS.bin / name)}
        added |= {path: f'/test/ca/{path.name}' for path in pathlib.Path(self.at('ca')).glob('*.pem')}
        image = self.folder / 'image'
        attestbed('image', '--kernel', OPTIONS.kernel, '--out', image,
                  *(word for host, guest in added.items() for word in ('--add', f'{host}={guest}')))
        ending = self.boot({'rdinit': '/test/start', 'attest.transport': 'vsock:1:1995', 'attest.debug_exit': '0xf4',
                            'inside.measurement': measurement}, image=image, memory=512).end()
        self.assertIn('inside: ready vsock:1995', ending.console)
        self.assertEqual(ending.result['outcome'], 'released', ending.console)
        self.assertEqual(ending.status, qemu_status(0))


if __name__ == '__main__':
    unittest.main()
