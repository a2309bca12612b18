// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "core/platform/report_provider.h"
#include "core/snp/cpuid_message.h"
#include "core/snp/guest_message.h"
#include "core/snp/guest_request.h"
#include "core/snp/key_message.h"
#include "core/snp/tsc_info_message.h"
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
    // Set to have the host's certificates with a report: the port itself, and room for them, whole pages that outlive
    // the channel.
    ExtendedGuestRequestPort* extended = nullptr;
    MutBytes certs = {};
  };
  GuestChannel(Vmpck key, GuestRequestPort& port, Clock& clock, ChannelPages& pages, Options options);
  ~GuestChannel();
  GuestChannel(const GuestChannel&) = delete;
  GuestChannel& operator=(const GuestChannel&) = delete;

  /// report has the firmware sign `report_data`. If the host's certificates need more room than there is, the same
  /// page goes on as a plain request; a table that is not well-formed counts as none.
  ///   errors  firmware_busy (BUSY until the deadline), firmware_refused (exit codes in `found`: vmm << 32 | firmware),
  ///           firmware_unreachable (the port failed), firmware_reply, firmware_status, vmpck_lost. After any of them
  ///           except firmware_status the key is gone.
  Result<Evidence> report(const ReportData& report_data, Deadline until) override;

  /// derived_key has the firmware derive a key that only this guest on this chip can get again. A request's VMPL must
  /// be at least the VMPCK's. The type of the request decides about the message's version, 1 or 2; firmware that knows
  /// version 1 alone refuses the other, which costs the key. Errors: as report.
  Result<DerivedKey> derived_key(const MsgKeyReq& request, Deadline until);
  Result<DerivedKey> derived_key(const MsgKeyReq2& request, Deadline until);

  /// tsc_info asks what the guest's time stamp counter runs at. Errors: as report.
  Result<TscInfo> tsc_info(Deadline until);

  /// cpuid has the firmware, which the host cannot stand in for, fill in the results of up to kMaxCpuidFunctions CPUID
  /// functions. Errors: as report; too_large for more functions, which costs nothing.
  Status cpuid(std::span<CpuidFunction> functions, Deadline until);

  /// Relay is one message that a driver passes on for somebody else, whose payload it does not judge.
  ///   most   octets that the reply's payload may have
  ///   certs  room for the host's certificates, whole pages or none of it; absent = a plain request
  struct Relay {
    MsgType type;
    std::uint8_t version;
    Bytes payload;
    std::size_t most;
    std::optional<MutBytes> certs = std::nullopt;
  };
  /// Relayed is what came of it.
  ///   payload       of the reply, STATUS included: a view into the channel's pages, valid until its next call
  ///   pages_needed  set if the room was too small for the certificates; the same page went on as a plain request
  struct Relayed {
    Result<Bytes> payload;
    std::optional<std::uint32_t> pages_needed;
  };

  /// relay carries a message of any type. Errors: as report, but for firmware_status, which is in the payload; a reply
  /// of more than `most` is firmware_reply. `certs` without Options::extended is bad_config, which costs nothing.
  Relayed relay(const Relay& message, Deadline until);

  bool usable() const { return key_.has_value(); }

 private:
  Result<Bytes> exchange(const Relay& message, Deadline until);
  Result<DerivedKey> derive(std::uint8_t version, Bytes request, Deadline until);
  Status send(std::optional<MutBytes> certs, Deadline until);
  Result<ExtendedExit> call(const std::optional<MutBytes>& certs, Deadline until);
  Error lose(const Error& why);
  Error refused(const Error& why);

  std::optional<Vmpck> key_;  // the key is the state: without it nothing can be asked
  GuestRequestPort& port_;
  Clock& clock_;
  ChannelPages& pages_;
  const Options options_;
  std::uint64_t seqno_ = 0;
  // Of the latest exchange: whether the host filled the room for certificates, and if not, what it asked for.
  bool certified_ = false;
  std::optional<std::uint32_t> pages_needed_;
};

}  // namespace attestbed::snp
