// SPDX-License-Identifier: Apache-2.0
#include "core/snp/guest_channel.h"

#include <cstring>
#include <limits>
#include <utility>

#include "core/snp/certificate_table.h"

namespace attestbed::snp {

GuestChannel::GuestChannel(Vmpck key, GuestRequestPort& port, Clock& clock, ChannelPages& pages, Options options)
    : key_(std::move(key)), port_(port), clock_(clock), pages_(pages), options_(options) {}

GuestChannel::~GuestChannel() {
  wipe(pages_.request);
  wipe(pages_.reply);
  wipe(pages_.scratch);
}

Error GuestChannel::lose(const Error& why) {
  key_.reset();
  return why;
}

// A status is the firmware's word, authenticated, and both counters moved; anything else is no reply to trust.
Error GuestChannel::refused(const Error& why) {
  if (why.code == Errc::firmware_status) return why;
  return lose({Errc::firmware_reply, why.where, why.found, why.expected});
}

// Whatever the host answers, the page that goes out is the same: one plaintext per IV.
Status GuestChannel::send(std::optional<MutBytes> certs, Deadline until) {
  pages_needed_.reset();
  while (true) {
    const Result<ExtendedExit> called = call(certs, until);
    if (!called) {
      return Error{Errc::firmware_unreachable, called.error().where, called.error().found, called.error().expected};
    }
    const GuestRequestExit& exit = called->exit;
    certified_ = certs.has_value();
    if (exit.vmm == 0 && exit.firmware == 0) return ok();
    if (exit.vmm == kVmmInvalidLen && certs) {
      pages_needed_ = called->pages_needed;
      certs.reset();
      continue;
    }
    if (exit.vmm != kVmmBusy) {
      const std::uint64_t status = static_cast<std::uint64_t>(exit.vmm) << 32 | exit.firmware;
      return Error{Errc::firmware_refused, "SW_EXITINFO2", status, 0};
    }
    const Instant now = clock_.now();
    if (now >= until || until - now <= options_.busy_wait) {
      return Error{Errc::firmware_busy, "SW_EXITINFO2", kVmmBusy, 0};
    }
    clock_.wait_until(now + options_.busy_wait);
  }
}

Result<ExtendedExit> GuestChannel::call(const std::optional<MutBytes>& certs, Deadline until) {
  if (certs) return options_.extended->call_extended(pages_.request, *certs, pages_.reply, until);
  const GuestRequestExit exit = TRY(port_.call(pages_.request, pages_.reply, until));
  return ExtendedExit{exit, 0};
}

Result<Bytes> GuestChannel::exchange(const Relay& message, Deadline until) {
  const auto& [type, version, payload, most, certs] = message;
  if (!key_) return Error{Errc::vmpck_lost, "GuestChannel", seqno_, 0};
  if (seqno_ > std::numeric_limits<std::uint64_t>::max() - 2) return lose({Errc::vmpck_lost, "MSG_SEQNO", seqno_, 0});
  const auto vmpck = static_cast<std::uint8_t>(options_.vmpck_number);
  const std::uint64_t seqno = seqno_ + 1;
  // Sealed once, whatever happens below: one plaintext per IV.
  const Status sealed = seal_guest_message(*key_, {type, version, vmpck, seqno, payload}, pages_.request);
  if (!sealed) return lose(sealed.error());

  if (const Status sent = send(certs, until); !sent) return lose(sent.error());

  const Result<GuestMessage> reply = open_guest_message(*key_, pages_.reply, pages_.scratch);
  if (!reply) return lose({Errc::firmware_reply, reply.error().where, reply.error().found, reply.error().expected});
  const auto wanted_type = static_cast<std::uint8_t>(static_cast<std::uint8_t>(type) + 1);
  const auto found_type = static_cast<std::uint8_t>(reply->type);
  if (reply->seqno != seqno + 1) return lose({Errc::firmware_reply, "MSG_SEQNO", reply->seqno, seqno + 1});
  if (found_type != wanted_type) return lose({Errc::firmware_reply, "MSG_TYPE", found_type, wanted_type});
  if (reply->version != version) return lose({Errc::firmware_reply, "MSG_VERSION", reply->version, version});
  if (reply->vmpck != vmpck) return lose({Errc::firmware_reply, "MSG_VMPCK", reply->vmpck, vmpck});
  if (reply->payload.size() > most) return lose({Errc::firmware_reply, "MSG_SIZE", reply->payload.size(), most});
  seqno_ = seqno + 1;
  return reply->payload;
}

Result<Evidence> GuestChannel::report(const ReportData& report_data, Deadline until) {
  MsgReportReq request{};
  request.report_data = report_data;
  request.vmpl = options_.vmpl;
  request.key_sel = options_.key_sel;
  const Bytes payload(reinterpret_cast<const std::uint8_t*>(&request), sizeof request);
  Relay message{MsgType::report_req, 1, payload, kMaxPayloadBytes};
  if (options_.extended != nullptr) message.certs = options_.certs;
  const Bytes reply = TRY(exchange(message, until));
  const Result<RawReport> report = parse_report_rsp(reply);
  if (!report) return refused(report.error());
  return Evidence{*report, certified_ ? certificates_in(options_.certs) : Bytes{}};
}

Result<DerivedKey> GuestChannel::derived_key(const MsgKeyReq& request, Deadline until) {
  return derive(1, {reinterpret_cast<const std::uint8_t*>(&request), sizeof request}, until);
}

Result<DerivedKey> GuestChannel::derived_key(const MsgKeyReq2& request, Deadline until) {
  return derive(2, {reinterpret_cast<const std::uint8_t*>(&request), sizeof request}, until);
}

Result<DerivedKey> GuestChannel::derive(std::uint8_t version, Bytes request, Deadline until) {
  const Bytes reply = TRY(exchange({MsgType::key_req, version, request, kMaxPayloadBytes}, until));
  Result<DerivedKey> key = parse_key_rsp(reply);
  wipe(pages_.scratch);
  if (!key) return refused(key.error());
  return key;
}

Result<TscInfo> GuestChannel::tsc_info(Deadline until) {
  const MsgTscInfoReq request{};
  const Bytes payload(reinterpret_cast<const std::uint8_t*>(&request), sizeof request);
  const Bytes reply = TRY(exchange({MsgType::tsc_info_req, 1, payload, kMaxPayloadBytes}, until));
  const Result<TscInfo> info = parse_tsc_info_rsp(reply);
  if (!info) return refused(info.error());
  return info;
}

Status GuestChannel::cpuid(std::span<CpuidFunction> functions, Deadline until) {
  if (functions.size() > kMaxCpuidFunctions) {
    return Error{Errc::too_large, "MSG_CPUID_REQ.COUNT", functions.size(), kMaxCpuidFunctions};
  }
  // A page that is private and free until the reply is opened in it.
  MsgCpuidReq head{};
  head.count = static_cast<std::uint32_t>(functions.size());
  std::memcpy(pages_.scratch.data(), &head, sizeof head);
  if (!functions.empty()) std::memcpy(pages_.scratch.data() + sizeof head, functions.data(), functions.size_bytes());
  const Bytes payload = Bytes(pages_.scratch).first(sizeof head + functions.size_bytes());
  const Bytes reply = TRY(exchange({MsgType::cpuid_req, 1, payload, kMaxPayloadBytes}, until));
  if (const Status read = read_cpuid_rsp(reply, functions); !read) return refused(read.error());
  return ok();
}

GuestChannel::Relayed GuestChannel::relay(const Relay& message, Deadline until) {
  if (message.certs && options_.extended == nullptr)
    return {Error{Errc::bad_config, "GuestChannel: no certificates"}, {}};
  pages_needed_.reset();
  const Result<Bytes> payload = exchange(message, until);
  return {payload, pages_needed_};
}

}  // namespace attestbed::snp
