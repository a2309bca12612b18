// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "kds-client/client.h"
#include "mock-kbs/appraisal.h"
#include "mock-kbs/broker_state.h"
#include "mock-kbs/options.h"
#include "mock-kbs/server.h"
#include "mock-kbs/service_config.h"
#include "mock-kbs/session.h"

namespace attestbed::kbs {

/// KdsConfig is where endorsements come from that neither evidence nor `certs` bring.
///   budget  for one attestation; well inside what a client of ours waits for an answer
struct KdsConfig {
  kds::Options client;
  std::chrono::milliseconds budget{5'000};
  bool check_revocation = false;
};

/// Config is the options with every file read and every rule checked: the broker can be built from it.
struct Config {
  ListenAddress listen;
  std::string log_level = "info";
  SessionTable::Limits sessions;
  AppraisalMode appraisal = AppraisalMode::strict;
  std::vector<verify::Certificate> certificates;
  BrokerValues values;
  std::optional<KdsConfig> kds;
  ServiceConfig service;

  Reach reach() const { return listen.loopback ? Reach::loopback : Reach::beyond_loopback; }
};

/// make_config reads what the options name. Errors: bad_config with what, where, expected and found; io_failed and
/// too_large for secret files. A root that is not AMD's on a listener beyond loopback is an error: whoever runs a
/// simulation holds its keys, so such a broker would give its secrets to anyone who reaches it.
Checked<Config> make_config(const Options& options);

/// announce writes what the owner should know before the first guest comes: listener, roots, entries, resources, and,
/// loudly, everything that is simulated, exposed or missing. The texts are warnings of the same JSON log.
void announce(const Config& config);

}  // namespace attestbed::kbs
