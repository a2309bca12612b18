#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Loads a real attest-proxy and a real mock-kbs with crowds of guests, and says what it cost whom.

All run on this machine: the guests with their simulated firmware in one process, proxy and broker in their own, started
anew for every crowd. A guest makes its next attempt, over a new line and with a new key, as soon as the last has ended.
Writes Google Benchmark's form of JSON.
"""
from __future__ import annotations

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time

GUESTS = (1, 16, 64, 256)
DELAYS_MS = (0, 50)
IDLE_LINES = 256
GOAL_GUESTS, GOAL_TURNS = 16, 5
SECRET = b'what the guests are after'
SECONDS = 240
TICK = os.sysconf('SC_CLK_TCK')


def attempts_for(guests: int, scale: float) -> int:
    """attempts_for keeps below the 4096 sessions that a broker holds at once."""
    return max(guests, int(min(3000, 200 + 12 * guests) * scale))


class Program:
    """Program is a server that says `ready` on its standard output; its log goes to a file."""

    def __init__(self, log: pathlib.Path, *command: object) -> None:
        self.log = log.open('wb')
        self.process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=self.log)
        self.ready = self.process.stdout.readline().decode()
        if not self.ready.startswith('ready'):
            self.process.kill()
            raise RuntimeError(f'{command[0]} does not start: {log.read_text()[-400:]}')

    def cpu_seconds(self) -> float:
        fields = pathlib.Path(f'/proc/{self.process.pid}/stat').read_text().rsplit(')', 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def memory_kib(self, name: str) -> int:
        status = pathlib.Path(f'/proc/{self.process.pid}/status').read_text()
        return int(re.search(rf'^{name}:\s+(\d+) kB', status, re.MULTILINE).group(1))

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.log.close()


class Testbed:
    """Testbed is a directory with everything that the programs are started with."""

    def __init__(self, programs: pathlib.Path, directory: pathlib.Path) -> None:
        self.programs, self.directory = programs, directory
        self.measurement = self.load('prepare', directory / 'ca')['measurement']
        (directory / 'secret').write_bytes(SECRET)

    def load(self, *words: object) -> dict:
        done = subprocess.run([self.programs / 'attestbed_bench_load', *map(str, words)], capture_output=True, text=True,
                              timeout=SECONDS, check=False)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip())
        return json.loads(done.stdout)

    def broker(self, binding: str, delay_ms: int) -> Program:
        faults = ['--fault', f'any:1+:delay:{delay_ms}'] if delay_ms else []
        return Program(self.directory / 'kbs.log', self.programs / 'mock-kbs', '--listen', '127.0.0.1:0', '--root',
                       self.directory / 'ca/ark.pem', '--certs', self.directory / 'ca', '--measurement', self.measurement,
                       '--binding', binding, '--secret-file', self.directory / 'secret', *faults)

    def proxy(self, url: str, *flags: object) -> Program:
        return Program(self.directory / 'proxy.log', self.programs / 'attest-proxy', '--url', url, '--protocol', 'kbs',
                       '--unix', self.socket, '--force', *flags)

    def floor(self) -> dict:
        """floor is what a broker cannot do without, on every processor at once: two that share a core slow each other
        down, and in a crowd all of them are busy."""
        with concurrent.futures.ThreadPoolExecutor() as pool:
            each = list(pool.map(lambda _: self.load('floor'), range(len(os.sched_getaffinity(0)))))
        return {name: statistics.mean(one[name] for one in each) for name in each[0]}

    @property
    def socket(self) -> pathlib.Path:
        return self.directory / 'proxy.sock'


def crowd(testbed: Testbed, guests: int, delay_ms: int, binding: str, key: str, scale: float) -> dict:
    """crowd is one crowd's row: rate, times, and CPU and memory of the two servers."""
    attempts = attempts_for(guests, scale)
    # Those above --max-sessions wait for a session; how long is the proxy's flag, and not what is asked here.
    with testbed.broker(binding, delay_ms) as broker, \
            testbed.proxy(broker.ready.split()[1], '--queue-wait', 100, '--timeout', 100) as proxy:
        before = {'proxy': proxy.cpu_seconds(), 'kbs': broker.cpu_seconds()}
        seen = testbed.load('run', testbed.socket, guests, attempts, binding, key)
        row = {'name': f'load/{binding}/{key}/{guests} guests/{delay_ms} ms', 'run_type': 'iteration',
               'guests': guests, 'delay_ms': delay_ms, **{k: v for k, v in seen.items() if k != 'failed'},
               'failed': sum(seen['failed'].values()), 'per_second': seen['released'] / seen['seconds']}
        for name, program in (('proxy', proxy), ('kbs', broker)):
            row[f'{name}_cpu_ms'] = 1000 * (program.cpu_seconds() - before[name]) / max(seen['released'], 1)
            row[f'{name}_peak_rss_mib'] = program.memory_kib('VmHWM') / 1024
        if seen['failed']:
            print(f'{row["name"]}: failed: {seen["failed"]}', file=sys.stderr)
        return row


def idle_lines_mib(testbed: Testbed) -> float:
    """idle_lines_mib is the proxy's resident memory with lines that are connected and have sent nothing."""
    with testbed.broker('svsm-sha512', 0) as broker, testbed.proxy(broker.ready.split()[1]) as proxy:
        descriptors = pathlib.Path(f'/proc/{proxy.process.pid}/fd')
        before = len(list(descriptors.iterdir()))
        lines = []
        try:
            for _ in range(IDLE_LINES):
                line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                line.connect(str(testbed.socket))
                lines.append(line)
            until = time.monotonic() + 30
            while len(list(descriptors.iterdir())) < before + IDLE_LINES:
                if time.monotonic() > until:
                    raise RuntimeError('the proxy does not accept the idle lines')
                time.sleep(0.05)
            return proxy.memory_kib('VmRSS') / 1024
        finally:
            for line in lines:
                line.close()


def show(row: dict) -> None:
    print(f'{row["guests"]:>6} {row["delay_ms"]:>8} {row["released"]:>8} {row["failed"]:>6} {row["per_second"]:>8.1f} '
          f'{row["p50_ms"]:>8.1f} {row["p95_ms"]:>8.1f} {row["p99_ms"]:>8.1f} {row["proxy_cpu_ms"]:>9.2f} '
          f'{row["kbs_cpu_ms"]:>7.2f} {row["proxy_peak_rss_mib"]:>9.1f} {row["kbs_peak_rss_mib"]:>7.1f}', flush=True)


def broker_goal(testbed: Testbed, binding: str, scale: float) -> list[dict]:
    """broker_goal are the rows of the turns that the goal of the broker's CPU is judged by, and the one that the table of
    goals finds. The crowd is always the same, without delay and with keep-alive, and the median counts: the best of
    several crowds would flatter. The floor is measured in each turn, since a machine's speed changes. It is one of P-521
    alone."""
    print(f'{GOAL_TURNS} turns of {GOAL_GUESTS} guests, for the goal of the broker\'s CPU: the median counts')
    turns = []
    for turn in range(GOAL_TURNS):
        floor = testbed.floor()
        row = crowd(testbed, GOAL_GUESTS, 0, binding, 'P-521', scale)
        row['name'] += f'/turn {turn + 1}'
        row |= {f'of_{name}_floor': floor[f'{name}_ms'] / row['kbs_cpu_ms'] for name in ('parsed', 'cached')}
        row |= {f'floor_{name}_ms': floor[f'{name}_ms'] for name in ('parsed', 'cached')}
        show(row)
        turns.append(row)

    def median(name: str) -> float:
        return statistics.median(row[name] for row in turns)

    parsed = sorted(row['of_parsed_floor'] for row in turns)
    return turns + [{'name': 'target/load.kbs_of_floor', 'run_type': 'iteration',
                     'load.kbs_of_floor': median('of_parsed_floor'),
                     'label': f'median of {GOAL_TURNS} turns of {GOAL_GUESTS} guests, {parsed[0]:.2f} to {parsed[-1]:.2f}; '
                              f'floor {median("floor_parsed_ms"):.2f} ms of CPU, mock-kbs {median("kbs_cpu_ms"):.2f} ms; '
                              f'of the floor with the chain cached, {median("floor_cached_ms"):.2f} ms, '
                              f'{median("of_cached_floor"):.2f}'}]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--programs', type=pathlib.Path, default='build/release/bin')
    parser.add_argument('--out', type=pathlib.Path, default='build/bench/load.json')
    parser.add_argument('--binding', default='svsm-sha512')
    parser.add_argument('--key', default='P-521')
    parser.add_argument('--guests', type=int, nargs='+', default=GUESTS, metavar='N', help='of each crowd')
    parser.add_argument('--delays', type=int, nargs='+', default=DELAYS_MS, metavar='MS', help='before a broker answers')
    parser.add_argument('--scale', type=float, default=1, help='of the number of attempts')
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix='attestbed-load-') as directory:
        testbed = Testbed(options.programs.resolve(), pathlib.Path(directory))
        idle = idle_lines_mib(testbed)
        print(f'proxy with {IDLE_LINES} idle lines: {idle:.1f} MiB resident')
        print('guests delay/ms released failed    per/s   p50/ms   p95/ms   p99/ms proxy/ms* kbs/ms* proxy/MiB kbs/MiB')
        rows = []
        for delay_ms in options.delays:
            for guests in options.guests:
                rows.append(crowd(testbed, guests, delay_ms, options.binding, options.key, options.scale))
                show(rows[-1])
        if options.key == 'P-521':
            rows += broker_goal(testbed, options.binding, options.scale)
        print('* CPU of each attestation; MiB: the most that was resident')
        rows.append({'name': 'target/load.proxy_idle_lines', 'run_type': 'iteration', 'load.proxy_idle_lines': idle,
                     'label': f'VmRSS with {IDLE_LINES} lines'})
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps({'context': {}, 'benchmarks': rows}, indent=2) + '\n')
    return 1 if any(row.get('failed') for row in rows) else 0


if __name__ == '__main__':
    try:
        sys.exit(main())
    except (OSError, RuntimeError, subprocess.TimeoutExpired) as failed:
        print(f'bench_load.py: {failed}', file=sys.stderr)
        sys.exit(3)
