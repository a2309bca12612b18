# SPDX-License-Identifier: Apache-2.0
"""Programs that the tests start, and guests that they run."""

import argparse
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time

import guest
import wire

HERE = os.path.dirname(os.path.abspath(__file__))
OPTIONS = argparse.Namespace(bin=None, document=None)
PATIENCE = 20.0  # seconds for any one step on a loaded machine
DEFAULT, OWN = "default/sample/test", "my/own/key"
SECRETS = {DEFAULT: b"the default secret", OWN: b"\x00\xffanother secret\n"}
REQUEST_1 = b'{"version":[0,1,0],"tee":"snp"}'
PARAMS = ["EcPublicKeyBytes", "Challenge"]


class Program:
    """A program that says `ready` and runs until it is stopped."""

    def __init__(self, *arguments, log):
        self.log = log
        with open(log, "wb") as errors:
            self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors)
        if not select.select([self.process.stdout], [], [], PATIENCE)[0]:
            self.stop()
            raise AssertionError(f"{arguments[0]} is not ready")
        self.ready = self.process.stdout.readline().decode().split()
        if self.ready[:1] != ["ready"]:
            self.stop()
            raise AssertionError(f"{arguments[0]}: {self.events()}")

    def events(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()

    def stop(self):
        """Ends the program and says with which status."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()
        return self.process.returncode


def binary(name):
    return os.path.join(OPTIONS.bin, name)


def run(*arguments):
    return subprocess.run(arguments, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE + 10)


class World:
    """Firmware, brokers and proxies on private sockets in a temporary directory."""

    def __init__(self):
        self.directory = None
        self.programs = []
        self.count = 0

    def path(self, name):
        return os.path.join(self.directory, name)

    def fresh(self, stem):
        self.count += 1
        return self.path(f"{stem}{self.count}")

    def start(self, *arguments):
        program = Program(*arguments, log=self.fresh("log"))
        self.programs.append(program)
        return program

    def set_up(self):
        self.directory = tempfile.mkdtemp(prefix="interop-")
        # The public keys of seed 1: making fresh ones takes seconds.
        run(binary("snp-sim"), "certs", "--seed", "1", "--out", self.path("ca")).check_returncode()
        self.firmware = self.path("firmware")
        simulator = self.start(binary("snp-sim"), "serve", "--ca", self.path("ca"), "--unix", self.firmware)
        measurement = simulator.ready[simulator.ready.index("measurement") + 1]
        self.broker = self.start_broker(measurement)
        self.stranger = self.start_broker("0" * 96)  # knows another measurement only
        self.url, self.stranger_url = self.broker.ready[1], self.stranger.ready[1]
        self.real = self.start_real_proxy(self.url)
        self.python = self.start_python_proxy(self.url)

    def start_broker(self, measurement):
        arguments = [binary("mock-kbs"), "--listen", "127.0.0.1:0", "--root", self.path("ca/ark.pem"),
                     "--certs", self.path("ca"), "--measurement", measurement]
        for resource, secret in SECRETS.items():
            path = self.path(resource.replace("/", "_"))
            with open(path, "wb") as file:
                file.write(secret)
            arguments += ["--resource", f"{resource}={path}"]
        return self.start(*arguments)

    def start_real_proxy(self, url, *more, line="--unix", at=None):
        """With `line` --unix, --unix-serial or --serial; `at` a device or, by default, a fresh socket."""
        return self.start_proxy([binary("attest-proxy"), "--protocol", "kbs"], url, line, at, more)

    def start_python_proxy(self, url, *more, line="--unix", at=None):
        return self.start_proxy([sys.executable, os.path.join(HERE, "proxy.py")], url, line, at, more)

    def start_proxy(self, command, url, line, at, more):
        path = at or self.fresh("proxy")
        program = self.start(*command, "--url", url, line, path, "--allow-resource", DEFAULT, "--allow-resource", OWN,
                             *more)
        program.socket = path
        return program

    def tear_down(self):
        """Exit status of every program, in the order of their starts."""
        for program in self.programs:
            program.process.terminate()
        statuses = [program.stop() for program in self.programs]
        shutil.rmtree(self.directory)
        return statuses


WORLD = World()


# Guests: each returns (exit status, code or None, secret or None)


def real_guest(path, resource=DEFAULT, line="--unix"):
    if os.path.exists(WORLD.path("secret")):
        os.unlink(WORLD.path("secret"))
    result = run(binary("attest-guest"), line, path, "--firmware", "unix:" + WORLD.firmware,
                 "--secret-auth", "none", "--resource", resource, "--json", "--timeout", str(int(PATIENCE)),
                 "--out", WORLD.path("secret"))
    secret = None
    if result.returncode == 0:
        with open(WORLD.path("secret"), "rb") as file:
            secret = file.read()
    return result.returncode, json.loads(result.stdout).get("code"), secret


def python_guest(path, resource=DEFAULT):
    result = run(sys.executable, os.path.join(HERE, "guest.py"), "--unix", path, "--firmware", "unix:" + WORLD.firmware,
                 "--resource", resource, "--timeout", str(PATIENCE))
    code = result.stderr.decode().partition(":")[0].strip() or None
    return result.returncode, code, result.stdout if result.returncode == 0 else None


def inner_guest(path, resource=DEFAULT):
    """The Python guest in this process, which saves its start."""
    deadline = time.monotonic() + PATIENCE
    terms = dict(wire.DEFAULT_TERMS, resource=resource)
    try:
        return 0, None, guest.attest_unix(path, guest.Firmware(WORLD.firmware, deadline), terms, deadline)
    except wire.Failure as failure:
        return wire.exit_status(failure.code), failure.code, None


GUESTS = {"attest-guest": real_guest, "guest.py": inner_guest}
