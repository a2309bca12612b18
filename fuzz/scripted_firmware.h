// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <vector>

#include "core/base/reader.h"
#include "core/snp/guest_channel.h"
#include "sim/manual_clock.h"

namespace attestbed::fuzz {

/// ScriptedFirmware signs nothing and seals honestly, except in the calls that the script names: n:1 (modulo 16) steps
/// of what:1 arg:1 each, one per call; later calls are honest. It also watches the guest's side of the page protocol:
/// every request page is authentic, and no sequence number is used for two plaintexts.
class ScriptedFirmware final : public snp::GuestRequestPort {
 public:
  ScriptedFirmware(const snp::Vmpck& key, Reader& script, sim::ManualClock& clock);
  Result<snp::GuestRequestExit> call(const snp::Page& request, snp::Page& reply, Deadline until) override;

  /// asked is the REPORT_DATA of every request that reached the firmware.
  const std::vector<snp::ReportData>& asked() const { return asked_; }

 private:
  struct Step {
    std::uint8_t what, argument;
  };
  void answer(const Step& step, std::uint64_t seqno, const snp::ReportData& data, snp::Page& reply) const;

  const snp::Vmpck& key_;
  sim::ManualClock& clock_;
  std::vector<Step> steps_;
  std::size_t calls_ = 0;
  std::vector<snp::ReportData> asked_;
  std::map<std::uint64_t, snp::Page> pages_;  // by sequence number
};

}  // namespace attestbed::fuzz
