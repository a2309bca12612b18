# SPDX-License-Identifier: Apache-2.0
"""A client of the firmware socket, from docs/firmware-socket.md alone."""

import socket
import struct
import time

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import wire
from wire import Failure, Line


class Firmware:
    """A guest of `snp-sim serve`; it makes one request."""

    PAGE = 4096
    HEADER = struct.Struct("<32sQ8xBBHBBHIB35x")
    BUSY = 2

    def __init__(self, path, deadline):
        self.path, self.deadline = path, deadline

    def report(self, report_data):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            try:
                connection.settimeout(max(0.01, self.deadline - time.monotonic()))
                connection.connect(self.path)
            except OSError as error:
                raise Failure("firmware_unreachable", detail=error.strerror or "") from None
            self.line = Line(connection.fileno(), self.deadline)
            vmm, firmware, secrets = self.exchange(1, b"")
            if vmm or firmware:
                raise Failure("firmware_refused", detail=f"{vmm:08x}{firmware:08x}")
            if secrets[:4] != struct.pack("<I", 3):
                raise Failure("firmware_reply", "secrets.VERSION")
            vmpck0 = secrets[0x20:0x40]
            if not any(vmpck0):
                raise Failure("vmpck_lost")
            return self.guest_request(AESGCM(vmpck0), report_data)

    def guest_request(self, cipher, report_data):
        request = report_data + struct.pack("<II24x", 0, 0)
        page = self.request_page(cipher, 1, request)
        vmm, firmware, answer = self.exchange(2, page)
        while vmm == self.BUSY and firmware == 0:
            if time.monotonic() + 0.05 >= self.deadline:
                raise Failure("firmware_busy")
            time.sleep(0.05)
            vmm, firmware, answer = self.exchange(2, page)  # the identical page: the number is a GCM nonce
        if vmm or firmware:
            raise Failure("firmware_refused", detail=f"{vmm:08x}{firmware:08x}")
        return self.read_report(self.open_page(cipher, 2, answer), report_data)

    def exchange(self, kind, body):
        try:
            self.line.write(struct.pack("<II", kind, len(body)) + body)
            vmm, firmware, length, reserved = struct.unpack("<IIII", self.line.read_exactly(16))
            if length != (0 if vmm or firmware else self.PAGE) or reserved:
                raise Failure("firmware_reply", "length")
            return vmm, firmware, self.line.read_exactly(length)
        except Failure as failure:
            if failure.code == "firmware_reply":
                raise
            raise Failure("firmware_unreachable", detail=failure.code) from None

    def request_page(self, cipher, number, payload):
        header = self.HEADER.pack(bytes(32), number, 1, 1, 0x60, 5, 1, len(payload), 0, 0)
        sealed = cipher.encrypt(self.nonce(number), payload, header[0x30:0x60])
        tag = sealed[-16:].ljust(32, b"\0")
        return (tag + header[0x20:] + sealed[:-16]).ljust(self.PAGE, b"\0")

    def open_page(self, cipher, number, page):
        """The payload, judged in the order of the document."""
        tag, found, algo, version, size, kind, message_version, length, _, vmpck = self.HEADER.unpack(page[:0x60])
        if (algo, version, size) != (1, 1, 0x60) or not 1 <= length <= 4000 or vmpck > 3 or any(tag[16:]):
            raise Failure("firmware_reply", "header")
        sealed = page[0x60:0x60 + length] + tag[:16]
        try:
            payload = cipher.decrypt(self.nonce(found), sealed, page[0x30:0x60])
        except InvalidTag:
            raise Failure("firmware_reply", "AUTHTAG") from None
        if (found, kind, message_version, vmpck) != (number, 6, 1, 0):
            raise Failure("firmware_reply", "header")
        return payload

    @staticmethod
    def nonce(number):
        return number.to_bytes(8, "little") + bytes(4)

    @staticmethod
    def read_report(payload, report_data):
        if len(payload) != 1216:
            raise Failure("firmware_reply", "payload")
        status, size = struct.unpack_from("<II", payload)
        if status:
            raise Failure("firmware_status", detail=f"{status:#x}")
        report = payload[0x20:]
        if size != wire.REPORT_OCTETS or any(payload[8:0x20]) or report[0x50:0x90] != report_data:
            raise Failure("firmware_reply", "report")
        return report
