// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <iostream>
#include <iterator>

#include "core/crypto/sha2.h"
#include "core/log/event_log.h"
#include "core/posix/clock.h"
#include "core/posix/describe.h"
#include "core/posix/hardening.h"
#include "proxy/config.h"
#include "proxy/doors.h"
#include "proxy/systemd.h"

namespace {

using namespace attestbed;

int fail(const Error& error, const std::string& about) {
  std::cerr << "attest-proxy: " << about << ": " << posix::describe(error) << "\n";
  return error.code == Errc::bad_config ? 2 : 3;
}

// Signals become a descriptor, blocked before there is any other thread; a broken connection is an error, not a signal.
posix::Fd take_signals() {
  signal(SIGPIPE, SIG_IGN);
  sigset_t wanted;
  sigemptyset(&wanted);
  sigaddset(&wanted, SIGTERM);
  sigaddset(&wanted, SIGINT);
  sigprocmask(SIG_BLOCK, &wanted, nullptr);
  return posix::Fd(signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
}

// A line takes one descriptor and an attempt a few more for its broker; the usual soft limit of 1024 is below that.
void raise_descriptor_limit(const proxy::ServerConfig& server) {
  rlimit limit{};
  const rlim_t wanted = server.max_lines + 8 * server.max_sessions + 64;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted) {
    log::event(log::Level::warning, "few_descriptors", {{"limit", limit.rlim_cur}, {"wanted", wanted}});
  }
}

using DoorList = std::vector<std::unique_ptr<proxy::Listener>>;

// The sockets that the supervisor has opened, and then those that the configuration names.
Result<DoorList, proxy::ShutDoor> all_doors(const proxy::Doors& named, proxy::Systemd& systemd, Clock& clock) {
  DoorList doors;
  for (posix::Fd& socket : systemd.take_sockets()) {
    auto door = proxy::adopt_door(std::move(socket));
    if (!door) return door.error();
    doors.push_back(*std::move(door));
  }
  auto opened = proxy::open_doors(named, clock);
  if (!opened) return opened.error();
  std::ranges::move(*opened, std::back_inserter(doors));
  return doors;
}

std::string names_of(const DoorList& doors) {
  std::string names;
  for (const auto& door : doors) names += (names.empty() ? "" : " ") + door->name();
  return names;
}

int serve(const proxy::Config& config, proxy::Systemd& systemd) {
  // The first use of core/crypto keeps OpenSSL from reading its configuration file, for libcurl's part in it too.
  const auto crypto_works = crypto::sha256({});
  if (!crypto_works) return fail(crypto_works.error(), "cannot start");
  posix::SteadyClock clock;
  auto backend = config.protocol->make(config.broker, clock);
  if (!backend) {
    std::cerr << "attest-proxy: " << backend.error().detail << "\n";
    return backend.error().code == Errc::bad_config ? 2 : 3;
  }
  auto doors = all_doors(config.doors, systemd, clock);
  if (!doors) return fail(doors.error().error, "cannot listen on " + doors.error().name);
  const posix::Fd signals = take_signals();
  if (!signals) return fail({Errc::io_failed, "signalfd"}, "cannot start");
  raise_descriptor_limit(config.server);

  const std::string names = names_of(*doors);
  std::cout << "ready " << names << std::endl;
  log::event(log::Level::info, "ready", {{"listen", names}, {"broker", config.broker.url}});
  systemd.ready(names);
  proxy::Server server(*std::move(doors), **backend, config.server, clock);
  const Status ended = server.run(signals.get(), &systemd);
  return ended ? 0 : fail(ended.error(), "cannot go on");
}

}  // namespace

int main(int argc, char** argv) {
  // No environment variable changes what this program does: not those of libcurl, OpenSSL or the resolver either. All
  // are cleared here, but for the supervisor's protocol, which is read first.
  proxy::Systemd systemd;
  const auto parsed =
      proxy::parse_command_line(argc, argv, ATTESTBED_VERSION, systemd.socket_count(), std::cout, std::cerr);
  if (const int* status = std::get_if<int>(&parsed)) return *status;
  const auto& config = std::get<proxy::Config>(parsed);
  log::Level level = log::Level::info;
  (void)log::level_named(config.log_level, level);  // the command line allows the four names alone
  log::start("attest-proxy", level);
  const Status hardened = posix::forbid_core_dumps();
  return hardened ? serve(config, systemd) : fail(hardened.error(), "cannot start");
}
