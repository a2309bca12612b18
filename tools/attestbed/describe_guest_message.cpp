// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/describe_guest_message.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "core/posix/firmware_status.h"
#include "core/snp/report.h"
#include "tools/attestbed/describe.h"

namespace attestbed::tools {
namespace {

using nlohmann::ordered_json;
using snp::GuestMessageHeader;
using snp::MsgType;
using verify::Checked;
using verify::hex_text;
using verify::Refusal;

/// MessageName is a message type's name and whether people may see what it carries: a derived key, a VMRK or a
/// guest's exported context may not be shown.
enum class Payload { open, secret };
struct MessageName {
  MsgType type;
  const char* name;
  Payload payload;
};
constexpr MessageName kNames[] = {
    {MsgType::cpuid_req, "MSG_CPUID_REQ", Payload::open},
    {MsgType::cpuid_rsp, "MSG_CPUID_RSP", Payload::open},
    {MsgType::key_req, "MSG_KEY_REQ", Payload::open},
    {MsgType::key_rsp, "MSG_KEY_RSP", Payload::secret},
    {MsgType::report_req, "MSG_REPORT_REQ", Payload::open},
    {MsgType::report_rsp, "MSG_REPORT_RSP", Payload::open},
    {MsgType::export_req, "MSG_EXPORT_REQ", Payload::secret},
    {MsgType::export_rsp, "MSG_EXPORT_RSP", Payload::secret},
    {MsgType::import_req, "MSG_IMPORT_REQ", Payload::secret},
    {MsgType::import_rsp, "MSG_IMPORT_RSP", Payload::secret},
    {MsgType::absorb_req, "MSG_ABSORB_REQ", Payload::secret},
    {MsgType::absorb_rsp, "MSG_ABSORB_RSP", Payload::secret},
    {MsgType::vmrk_req, "MSG_VMRK_REQ", Payload::secret},
    {MsgType::vmrk_rsp, "MSG_VMRK_RSP", Payload::secret},
    {MsgType::absorb_noma_req, "MSG_ABSORB_NOMA_REQ", Payload::secret},
    {MsgType::absorb_noma_rsp, "MSG_ABSORB_NOMA_RSP", Payload::secret},
    {MsgType::tsc_info_req, "MSG_TSC_INFO_REQ", Payload::open},
    {MsgType::tsc_info_rsp, "MSG_TSC_INFO_RSP", Payload::open},
};
constexpr MessageName kUnknown{MsgType{}, "a type that is not known", Payload::secret};

const MessageName& name_of(MsgType type) {
  for (const MessageName& each : kNames) {
    if (each.type == type) return each;
  }
  return kUnknown;
}

GuestMessageHeader header_of(Bytes page) {
  GuestMessageHeader header;
  std::memcpy(&header, page.data(), sizeof header);
  return header;
}

ordered_json header_json(const GuestMessageHeader& header) {
  ordered_json json;
  json["kind"] = "guest message";
  json["authtag"] = hex_text(Bytes(header.authtag).first(16));
  json["seqno"] = static_cast<std::uint64_t>(header.seqno);
  json["algo"] = {{"value", header.algo}, {"means", header.algo == snp::kAlgoAes256Gcm ? "AES-256-GCM" : "not known"}};
  json["header_version"] = header.header_version;
  json["header_size"] = static_cast<std::uint16_t>(header.header_size);
  json["type"] = {{"value", header.type}, {"means", name_of(static_cast<MsgType>(header.type)).name}};
  json["version"] = header.version;
  json["payload_size"] = static_cast<std::uint16_t>(header.payload_size);
  json["vmpck"] = header.vmpck;
  return json;
}

/// add_payload appends what an opened message carries.
void add_payload(const snp::GuestMessage& message, std::vector<ordered_json>& all) {
  ordered_json& json = all.front();
  if (name_of(message.type).payload == Payload::secret) {
    json["payload"] = {{"value", nullptr}, {"means", "authentic; not shown: it may carry a key"}};
    return;
  }
  json["payload"] = hex_text(message.payload);
  if (message.type == MsgType::report_req && message.payload.size() == sizeof(snp::MsgReportReq)) {
    snp::MsgReportReq request;
    std::memcpy(&request, message.payload.data(), sizeof request);
    json["report_data"] = hex_text(request.report_data);
    json["vmpl"] = static_cast<std::uint32_t>(request.vmpl);
    json["key_sel"] = static_cast<std::uint32_t>(request.key_sel);
  }
  if (message.type != MsgType::report_rsp) return;
  const Result<snp::RawReport> report = snp::parse_report_rsp(message.payload);
  if (report) {
    all.push_back(describe(*report));
  } else if (report.error().code == Errc::firmware_status) {
    json["status"] = {{"value", report.error().found}, {"means", posix::firmware_status_text(report.error().found)}};
  }
}

}  // namespace

bool looks_like_guest_message(Bytes octets) {
  if (octets.size() != snp::kPageBytes) return false;
  const GuestMessageHeader header = header_of(octets);
  return header.algo == snp::kAlgoAes256Gcm && header.header_version == snp::kHeaderVersion &&
         header.header_size == snp::kHeaderBytes;
}

Checked<std::vector<ordered_json>> describe_guest_message(Bytes octets, const snp::Vmpck* key) {
  if (octets.size() != snp::kPageBytes) {
    return Refusal{Errc::bad_length, "guest message page", std::to_string(snp::kPageBytes) + " octets",
                   std::to_string(octets.size())};
  }
  std::vector<ordered_json> all{header_json(header_of(octets))};
  if (key == nullptr) {
    all.front()["payload"] = {{"value", nullptr}, {"means", "encrypted: --vmpck opens it"}};
    return all;
  }
  snp::Page page, scratch;
  std::ranges::copy(octets, page.begin());
  const Result<snp::GuestMessage> message = snp::open_guest_message(*key, page, scratch);
  if (!message) {
    const bool tag = message.error().code == Errc::firmware_reply;
    return Refusal{message.error().code, message.error().where,
                   tag ? "a page that was sealed under this VMPCK" : std::to_string(message.error().expected),
                   tag ? "another tag: another key, or a changed page" : std::to_string(message.error().found)};
  }
  add_payload(*message, all);
  wipe(scratch);
  return all;
}

}  // namespace attestbed::tools
