// SPDX-License-Identifier: Apache-2.0
#include <poll.h>

#include <iostream>

#include "core/log/event_log.h"
#include "core/posix/describe.h"
#include "sim/commands.h"
#include "sim/kds/server.h"
#include "sim/stop_signals.h"

namespace attestbed::sim {
namespace {

using log::Level;

void write_record(const KdsRecord& record) {
  nlohmann::ordered_json fields = {{"request", record.number},
                                   {"peer", record.peer},
                                   {"target", record.target},
                                   {"status", record.status},
                                   {"octets", record.octets}};
  if (!record.fault.empty()) fields["fault"] = record.fault;
  const bool served = record.status == 200 && record.fault.empty();
  log::event(served ? Level::info : Level::warning, "kds_request", fields);
}

Outcome<KdsFaultPlan> read_faults(const std::vector<std::string>& texts) {
  KdsFaultPlan faults;
  for (const std::string& text : texts) {
    const Result<KdsFault> fault = parse_kds_fault(text);
    if (!fault) return failure_at("--fault " + text, fault.error());
    faults.push_back(*fault);
  }
  return faults;
}

Outcome<http::ListenAddress> read_listen(const KdsOptions& options) {
  const Result<http::ListenAddress> address = http::ListenAddress::parse(options.listen);
  if (!address) return Failure{Errc::bad_config, "--listen: must be " + std::string(http::ListenAddress::kForm)};
  if (address->loopback || options.beyond_loopback) return *address;
  return Failure{Errc::bad_config, "--listen " + options.listen +
                                       ": is not loopback, and whoever reaches a simulated KDS gets certificates that "
                                       "protect nothing (allow it with --beyond-loopback)"};
}

}  // namespace

int run_kds(const KdsOptions& options) {
  const auto address = read_listen(options);
  if (!address) return fail(address.error());
  const auto faults = read_faults(options.faults);
  if (!faults) return fail(faults.error());
  const bool public_keys = options.ca_directory.empty();
  auto catalogue = public_keys ? KdsCatalogue::of_default_seed() : KdsCatalogue::of_directory(options.ca_directory);
  if (!catalogue) return fail(catalogue.error());
  if (options.revoke) {
    if (const auto revoked = catalogue->revoke_intermediates(); !revoked) return fail(revoked.error());
  }
  std::string products;
  for (const auto& [product, authority] : catalogue->authorities()) {
    products += (products.empty() ? "" : " ") + std::string(snp::product_name(product));
    log::event(Level::info, "chip",
               {{"product", snp::product_name(product)}, {"chip_id", posix::to_hex(authority.chip_id())}});
  }

  const posix::Fd signals = take_signals();
  if (!signals) return fail({Errc::io_failed, "signalfd: " + std::to_string(errno)});
  log::event(Level::warning, "simulated",
             {{"text", "SIMULATED SEV-SNP: no hardware, no security"},
              {"keys", public_keys ? "PUBLIC TEST KEYS of the default seed" : "those in " + options.ca_directory}});
  const auto server = KdsServer::start(*std::move(catalogue), *faults, *address, write_record);
  if (!server) return fail(server.error());
  const std::string url = "http://" + address->authority((*server)->port());
  std::cout << "ready " << url << std::endl;
  log::event(Level::info, "ready", {{"url", url}, {"products", products}});

  pollfd ends[] = {{signals.get(), POLLIN, 0}, {(*server)->ended_fd(), POLLIN, 0}};
  while (::poll(ends, std::size(ends), -1) < 0) {
  }
  (*server)->stop();
  if (ends[0].revents == 0) return fail({Errc::io_failed, url + ": the listener ended"});
  log::event(Level::info, "stopped", {{"requests", (*server)->requests()}});
  return 0;
}

}  // namespace attestbed::sim
