// SPDX-License-Identifier: Apache-2.0
#include "bench/interleaved.h"

int main(int argc, char** argv) {
  return attestbed::bench::run_benchmarks(argc, argv);
}
