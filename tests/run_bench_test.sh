#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# No figure of an older run survives `./run bench` as if it were a new one: not when a program crashes, not when a filter
# leaves nothing. The benchmark programs are stubs, the summary is the real one. Usage: run_bench_test.sh REPOSITORY SUMMARY
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
bin="$work/build/release/bin" summary="$work/build/bench/summary.json"
mkdir -p "$bin" "$work/stubs"
cp "$1/run" "$work/run"
cp "$2" "$bin/attestbed_bench_summary"

stub() { printf '#!/bin/bash\n%s\n' "$2" >"$1"; chmod +x "$1"; }
stub "$work/stubs/dpkg-query" 'echo installed'
stub "$work/stubs/apt-get" 'exit 100'
stub "$work/stubs/cmake" 'exit 0'

# A benchmark's counters are named after targets; guest.stack is one of bench/targets.cpp.
measures='for a; do [[ "$a" == --benchmark_out=* ]] && out="${a#*=}"; done
printf "{\"context\":{},\"benchmarks\":[{\"name\":\"x\",\"run_type\":\"iteration\",\"guest.stack\":1}]}" >"$out"'
crashes='for a; do [[ "$a" == --benchmark_out=* ]] && printf "{\"context\":{},\"bench" >"${a#*=}"; done; kill -SEGV $$'

# bench WANTED-EXIT: `./run bench` of the copy.
bench() {
  local status=0
  PATH="$work/stubs:$PATH" "$work/run" bench >"$work/log" 2>&1 || status=$?
  ((status == $1)) || { echo "./run bench: exit $status, expected $1"; cat "$work/log"; exit 1; }
}
met() { python3 -c 'import json, sys; print(sum(row["met"] for row in json.load(open(sys.argv[1]))))' "$summary"; }
expect_met() { [[ "$(met)" == "$1" ]] || { echo "$2: $(met) targets are met, expected $1"; cat "$summary"; exit 1; }; }

stub "$bin/attestbed_bench" 'exit 0'
stub "$bin/attestbed_bench_allocations" 'exit 0'
stub "$bin/attestbed_bench_stack" "$measures"
bench 0
expect_met 1 'a run that measures'

stub "$bin/attestbed_bench_stack" 'exit 0'
bench 0
expect_met 0 'a filter that leaves nothing'

stub "$bin/attestbed_bench_stack" "$measures"
bench 0
stub "$bin/attestbed_bench_stack" "$crashes"
bench 1
expect_met 0 'a program that crashes'

stub "$bin/attestbed_bench_stack" "$measures"
stub "$bin/attestbed_bench" "$crashes"
bench 1
expect_met 1 'another program that crashes'

stub "$bin/attestbed_bench" "kill -KILL \$PPID"
bench 137
expect_met 0 'a run that is killed'

# Of several turns of one crowd the median counts, and of the floors those that were measured beside it.
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$1/bench" python3 - <<'PYTHON'
import bench_load

cpu, floors, asked = [5.0, 2.0, 4.0, 1.0, 4.0], [2.0, 2.0, 3.0, 2.0, 3.0], []


class Testbed:
    def floor(self):
        return {'parsed_ms': floors[len(asked)], 'cached_ms': floors[len(asked)] / 2}


def crowd(testbed, guests, delay_ms, binding, key, scale):
    asked.append((guests, delay_ms, key))
    return {'name': 'crowd', 'kbs_cpu_ms': cpu[len(asked) - 1], 'failed': 0}


bench_load.crowd, bench_load.show = crowd, lambda row: None
*turns, goal = bench_load.broker_goal(Testbed(), 'svsm-sha512', 1)
assert asked == [(16, 0, 'P-521')] * 5, asked
assert len({row['name'] for row in turns}) == 5, turns
# 0.4, 1.0, 0.75, 2.0, 0.75: the best would be 2.0, and the mean 0.98.
assert goal['load.kbs_of_floor'] == 0.75, goal
assert 'median of 5 turns of 16 guests, 0.40 to 2.00' in goal['label'], goal
PYTHON
