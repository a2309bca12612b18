// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <cstdio>
#include <memory>

#include "core/posix/clock.h"
#include "core/posix/describe.h"
#include "core/posix/hardening.h"
#include "guest/attempt.h"
#include "guest/hardening.h"
#include "guest/init/pid1.h"
#include "guest/key_progress.h"

namespace {

using namespace attestbed;

void print(const guest::Summary& summary, const guest::Options& options) {
  if (options.json) {
    ByteArray<guest::kMaxSummaryBytes> text;
    if (const Result<Bytes> json = guest::write_summary_json(summary, text)) {
      std::fwrite(json->data(), 1, json->size(), stdout);
      std::fputc('\n', stdout);
    }
  }
  const bool to_people = !summary.released() || options.to_stdout;
  if (options.json && !to_people) return;
  std::fprintf(to_people ? stderr : stdout, "attest-guest: %s\n", guest::summary_line(summary).c_str());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 0 && guest::is_init(argv[0])) guest::run_as_init(ATTESTBED_VERSION);
  guest::ParsedOptions parsed = guest::parse_options(argc, argv);
  if (!parsed.options) return parsed.exit;

  std::signal(SIGPIPE, SIG_IGN);  // a reader that went away is an error to report, not a death
  if (const Status hardened = posix::forbid_core_dumps(); !hardened) {
    std::fprintf(stderr, "attest-guest: %s\n", posix::describe(hardened.error()).c_str());
    return error_row(hardened.error().code).guest_exit;
  }
  const auto memory = std::make_unique<guest::Memory>();
  guest::keep_out_of_swap({reinterpret_cast<const std::uint8_t*>(memory.get()), sizeof *memory});
  posix::SteadyClock clock;
  posix::KernelEntropy entropy;
  guest::KeyProgressLines key_progress(
      clock, [](const std::string& line) { std::fprintf(stderr, "attest-guest: %s\n", line.c_str()); });
  parsed.options->key_progress = &key_progress;
  const guest::Summary summary = guest::run_attempt(*parsed.options, clock, entropy, *memory);
  print(summary, *parsed.options);
  return summary.exit();
}
