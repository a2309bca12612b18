#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a guest says on its console is nobody's proof: `attestbed vm` asks proxy and broker, and judges every word."""

import json
import pathlib
import unittest

from vm_test import OPTIONS, VmTest, attestbed

BUSYBOX = pathlib.Path('/bin/busybox')
LIAR = pathlib.Path(__file__).parent / 'lying_init.sh'


@unittest.skipUnless(BUSYBOX.exists(), f'no {BUSYBOX}: ./run deps brings it')
class LyingGuest(VmTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        attestbed('image', '--kernel', OPTIONS.kernel, '--out', cls.image, '--add', f'{BUSYBOX}=/bin/busybox', '--add',
                  f'{LIAR}=/test/init')

    def said(self, lie):
        return attestbed('vm', '--accel', 'tcg', '--image', self.image, '--append', f'rdinit=/test/init lie={lie}', code=3)

    def test_a_release_that_nobody_else_knows_of(self):
        done = self.said('released')
        self.assertIn('proxy and broker know of no release', done.stderr)
        self.assertNotIn('released: 12 octets', done.stdout)

    def test_a_result_of_another_shape(self):
        self.assertIn("the guest's result is malformed: secret: expected an object or null", self.said('secret').stderr)

    def test_words_that_would_steer_a_terminal(self):
        done = self.said('terminal')
        self.assertIn('says this', done.stderr)
        for text in (done.stdout, done.stderr):
            self.assertNotIn('\x1b', text)
            self.assertNotIn('\x07', text)

    def test_the_secret_that_is_shown_is_what_the_guest_wrote(self):
        done = attestbed('vm', '--json', '--show-secret', '--accel', 'tcg', '--image', self.image, '--memory', '512',
                         '--append', 'rdinit=/test/init lie=other', code=0)
        self.assertEqual(json.loads(done.stdout)['guests'][0]['secret']['shown'], 'what the guest wrote')


if __name__ == '__main__':
    unittest.main()
