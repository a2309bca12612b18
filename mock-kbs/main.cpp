// SPDX-License-Identifier: Apache-2.0
#include <poll.h>
#include <sys/signalfd.h>

#include <array>
#include <csignal>
#include <cstdio>

#include "core/log/event_log.h"
#include "core/posix/clock.h"
#include "core/posix/hardening.h"
#include "http-client/curl_handle.h"
#include "mock-kbs/config.h"
#include "mock-kbs/serving.h"

namespace {

using namespace attestbed;

constexpr int kExitUsage = 2;
constexpr int kExitCouldNotRun = 3;

int fail(const kbs::Refusal& why, int exit_code) {
  std::fprintf(stderr, "mock-kbs: %s\n", why.text().c_str());
  return exit_code;
}

// The remedy for files, which a Refusal says, is not that for addresses.
int cannot_listen(const kbs::Refusal& why) {
  std::fprintf(stderr,
               "mock-kbs: %s: %s: expected %s, found %s; another process listens there, or the address is not this "
               "machine's: stop it, or choose another with --listen\n",
               error_name(why.code), why.field.c_str(), why.expected.c_str(), why.found.c_str());
  return kExitCouldNotRun;
}

kbs::Checked<kbs::Config> configure(const kbs::CommandLine& line) {
  if (!line.config_file) return kbs::make_config(line.options);
  return kbs::make_config(kbs::merge(TRY(kbs::read_config_file(*line.config_file)), line.options));
}

// Before any thread is made, so that the signals reach nobody but the descriptor.
posix::Fd stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return posix::Fd(signalfd(-1, &signals, SFD_CLOEXEC));
}

int run(const kbs::Config& config) {
  const posix::Fd signals = stop_signals();
  posix::SteadyClock clock;
  posix::KernelEntropy entropy;
  kbs::SystemWallClock wall_clock;
  kbs::SessionTable sessions(clock, entropy, config.sessions);
  const http::Library library;
  std::unique_ptr<kds::Client> kds_client;
  std::optional<kbs::KdsSource> kds_source;
  if (config.kds) {
    kds::Options options = config.kds->client;
    options.warn = [](const kbs::Refusal& why) {
      log::event(log::Level::warning, "kds_cache", {{"code", error_name(why.code)}, {"reason", why.text()}});
    };
    auto made = kds::Client::make(std::move(options), clock);
    if (!made) return fail(made.error(), kExitUsage);
    kds_client = *std::move(made);
    kds_source.emplace(kbs::KdsSource{*kds_client, clock, config.kds->budget, config.kds->check_revocation});
  }
  const kbs::Checked<std::unique_ptr<kbs::BrokerState>> state = kbs::BrokerState::make(config.values, config.reach());
  if (!state) return fail(state.error(), kExitUsage);
  const kbs::EvidenceJudge judge(config.certificates, kds_source, config.appraisal);
  const kbs::Checked<kbs::TokenIssuer> tokens = kbs::TokenIssuer::make(entropy, config.sessions.lifetime);
  if (!tokens) return fail(tokens.error(), kExitCouldNotRun);
  kbs::Broker broker{**state, judge, sessions, *tokens, entropy, wall_clock};
  kbs::announce(config);
  const auto serving = kbs::Serving::start(broker, config);
  if (!serving) {
    return serving.error().code == Errc::io_failed ? cannot_listen(serving.error()) : fail(serving.error(), kExitUsage);
  }
  std::fputs((*serving)->announcement().c_str(), stdout);
  std::fflush(stdout);

  std::array<pollfd, 3> ends{pollfd{signals.get(), POLLIN, 0}, pollfd{(*serving)->ended_fd(), POLLIN, 0},
                             pollfd{(*serving)->admin_ended_fd(), POLLIN, 0}};
  while (poll(ends.data(), ends.size(), -1) < 0) {
  }
  if (kds_client) kds_client->stop();
  (*serving)->stop();
  if (ends[0].revents == 0)
    return fail({Errc::io_failed, "listen", "to accept connections", "the listener ended"}, kExitCouldNotRun);
  log::event(log::Level::info, "stopped");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const kbs::CommandLine line = kbs::read_command_line(argc, argv);
  if (line.exit_code) return *line.exit_code;
  if (line.tls_ca) {
    kbs::SystemWallClock clock;
    const kbs::Checked<void> made = kbs::make_test_ca(line.tls_ca->directory, line.tls_ca->ca, clock.now());
    if (made) return 0;
    return fail(made.error(), made.error().code == Errc::bad_config ? kExitUsage : kExitCouldNotRun);
  }
  const kbs::Checked<void> hardened = kbs::checked(posix::forbid_core_dumps());
  if (!hardened) return fail(hardened.error(), kExitCouldNotRun);
  // Whoever read the log may go; the broker stays.
  std::signal(SIGPIPE, SIG_IGN);
  const kbs::Checked<kbs::Config> config = configure(line);
  if (!config) return fail(config.error(), kExitUsage);
  log::Level level{};
  log::level_named(config->log_level, level);
  log::start("mock-kbs", level);
  return run(*config);
}
