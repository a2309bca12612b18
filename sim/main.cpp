// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "core/log/event_log.h"
#include "core/posix/hardening.h"
#include "sim/commands.h"
#include "sim/failure.h"

namespace {

using namespace attestbed::sim;

struct Run {
  int operator()(const ServeOptions& options) const { return run_serve(options); }
  int operator()(const CertsOptions& options) const { return run_certs(options); }
  int operator()(const ReportOptions& options) const { return run_report(options); }
  int operator()(const ReportsOptions& options) const { return run_reports(options); }
  int operator()(const MeasurementOptions& options) const { return run_measurement(options); }
  int operator()(const FirmwareOptions& options) const { return run_firmware(options); }
  int operator()(const IdBlockOptions& options) const { return run_id_block(options); }
  int operator()(const KdsOptions& options) const { return run_kds(options); }
  int operator()(const DeviceOptions& options) const { return run_device(options); }
};

}  // namespace

int main(int argc, char** argv) {
  // No environment variable changes what this program does, nor what the libraries under it do.
  clearenv();
  const auto parsed = parse_command_line(argc, argv, ATTESTBED_VERSION);
  if (const int* status = std::get_if<int>(&parsed)) return *status;
  if (const auto hardened = attestbed::posix::forbid_core_dumps(); !hardened) {
    return fail(failure_at("cannot start", hardened.error()));
  }
  attestbed::log::start("snp-sim", attestbed::log::Level::info);
  return std::visit(Run{}, std::get<Command>(parsed));
}
