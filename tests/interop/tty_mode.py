# SPDX-License-Identifier: Apache-2.0
"""How both ends of a serial line set their tty (section 12.3)."""

import termios


def make_raw(descriptor):
    """8 data bits, no parity, 1 stop bit; no echo, no translation, no flow control; 115200 baud for hardware."""
    attributes = termios.tcgetattr(descriptor)
    attributes[0] = 0
    attributes[1] = 0
    attributes[2] &= ~(termios.CSIZE | termios.PARENB | termios.CSTOPB | termios.CRTSCTS)
    attributes[2] |= termios.CS8 | termios.CREAD | termios.CLOCAL
    attributes[3] = 0
    attributes[4] = attributes[5] = termios.B115200
    attributes[6][termios.VMIN], attributes[6][termios.VTIME] = 1, 0
    termios.tcsetattr(descriptor, termios.TCSANOW, attributes)
