// SPDX-License-Identifier: Apache-2.0
#include "core/snp/guest_message.h"

#include <cstring>

#include "core/crypto/aes_gcm.h"

namespace attestbed::snp {
namespace {

crypto::GcmIv iv_of(std::uint64_t seqno) {
  const le64 octets(seqno);
  crypto::GcmIv iv{};
  std::memcpy(iv.data(), &octets, sizeof octets);
  return iv;
}

Status check_header(const GuestMessageHeader& header) {
  if (header.algo != kAlgoAes256Gcm) return Error{Errc::bad_value, "message header ALGO", header.algo, kAlgoAes256Gcm};
  if (header.header_version != kHeaderVersion) {
    return Error{Errc::bad_value, "message header HDR_VERSION", header.header_version, kHeaderVersion};
  }
  if (header.header_size != kHeaderBytes) {
    return Error{Errc::bad_value, "message header HDR_SIZE", header.header_size, kHeaderBytes};
  }
  if (header.payload_size == 0 || header.payload_size > kMaxPayloadBytes) {
    return Error{Errc::bad_value, "message header MSG_SIZE", header.payload_size, kMaxPayloadBytes};
  }
  if (header.vmpck >= kVmpckCount) {
    return Error{Errc::bad_value, "message header MSG_VMPCK", header.vmpck, kVmpckCount - 1};
  }
  return ok();
}

}  // namespace

Status seal_guest_message(const Vmpck& key, const GuestMessage& message, Page& page) {
  const std::size_t size = message.payload.size();
  if (size == 0 || size > kMaxPayloadBytes)
    return Error{Errc::bad_length, "guest message payload", size, kMaxPayloadBytes};
  GuestMessageHeader header{};
  header.seqno = message.seqno;
  header.algo = kAlgoAes256Gcm;
  header.header_version = kHeaderVersion;
  header.header_size = kHeaderBytes;
  header.type = static_cast<std::uint8_t>(message.type);
  header.version = message.version;
  header.payload_size = static_cast<std::uint16_t>(size);
  header.vmpck = message.vmpck;

  page.fill(0);
  std::memcpy(page.data(), &header, sizeof header);
  const MutBytes octets(page);
  const crypto::GcmTag tag =
      TRY(crypto::aes256gcm_seal(key, iv_of(message.seqno), octets.subspan(kAadOffset, kHeaderBytes - kAadOffset),
                                 message.payload, octets.subspan(kHeaderBytes, size)));
  std::memcpy(page.data(), tag.data(), tag.size());
  return ok();
}

Result<GuestMessage> open_guest_message(const Vmpck& key, const Page& page, Page& scratch) {
  // The one look at memory that the host can change: everything below judges the copy.
  std::memcpy(scratch.data(), page.data(), kPageBytes);
  const MutBytes octets(scratch);
  GuestMessageHeader header;
  std::memcpy(&header, scratch.data(), sizeof header);
  if (const Status form = check_header(header); !form) {
    wipe(octets);
    return form.error();
  }
  crypto::GcmTag tag;
  std::memcpy(tag.data(), header.authtag, tag.size());
  const MutBytes payload = octets.subspan(kHeaderBytes, header.payload_size);
  const Status opened = crypto::aes256gcm_open(
      key, iv_of(header.seqno), octets.subspan(kAadOffset, kHeaderBytes - kAadOffset), payload, tag, payload);
  if (!opened) {
    wipe(octets);
    if (opened.error().code != Errc::tag_failed) return opened.error();
    return Error{Errc::firmware_reply, "message header AUTHTAG"};
  }
  return GuestMessage{static_cast<MsgType>(header.type), header.version, header.vmpck, header.seqno, payload};
}

}  // namespace attestbed::snp
