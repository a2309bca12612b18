// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "core/platform/report_provider.h"
#include "core/snp/guest_message.h"
#include "core/snp/guest_request.h"
#include "core/snp/vmpck.h"

namespace attestbed::snp {

/// ChannelPages is the memory that a GuestChannel works in; 12 KiB, wiped by the channel. On hardware request and reply
/// are shared pages and `scratch` is private.
struct ChannelPages {
  Page request;
  Page reply;
  Page scratch;
};

/// GuestChannel speaks guest messages under one VMPCK. Doubt about a sequence number destroys the key: the next request
/// under the same number would reuse a GCM IV. There is no way to set the number or to seal a second time.
class GuestChannel final : public ReportProvider {
 public:
  struct Options {
    unsigned vmpck_number = 0;
    std::uint32_t vmpl = 0;  // in the report; must be >= the VMPCK's
    std::uint32_t key_sel = kKeySelVlekIfLoaded;
    std::chrono::nanoseconds busy_wait = std::chrono::milliseconds(100);  // between two BUSY answers
  };
  GuestChannel(Vmpck key, GuestRequestPort& port, Clock& clock, ChannelPages& pages, Options options);
  ~GuestChannel();
  GuestChannel(const GuestChannel&) = delete;
  GuestChannel& operator=(const GuestChannel&) = delete;

  /// report has the firmware sign `report_data`.
  ///   errors  firmware_busy (BUSY until the deadline), firmware_refused (exit codes in `found`: vmm << 32 | firmware),
  ///           firmware_unreachable (the port failed), firmware_reply, firmware_status, vmpck_lost. After any of them
  ///           except firmware_status the key is gone.
  Result<Evidence> report(const ReportData& report_data, Deadline until) override;

  bool usable() const { return key_.has_value(); }

 private:
  Result<Bytes> exchange(MsgType type, std::uint8_t version, Bytes payload, Deadline until);
  Error lose(const Error& why);

  std::optional<Vmpck> key_;  // the key is the state: without it nothing can be asked
  GuestRequestPort& port_;
  Clock& clock_;
  ChannelPages& pages_;
  const Options options_;
  std::uint64_t seqno_ = 0;
};

}  // namespace attestbed::snp
