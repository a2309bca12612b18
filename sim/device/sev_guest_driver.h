// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/sev-guest.h>
#include <sys/ioctl.h>

#include <optional>

#include "core/posix/firmware_socket.h"
#include "core/snp/guest_channel.h"

namespace attestbed::sim {

// The kernel's structures (include/uapi/linux/sev-guest.h), to the octet.
static_assert(sizeof(snp_guest_request_ioctl) == 32 && sizeof(snp_report_req) == 96 && sizeof(snp_report_resp) == 4000);
static_assert(sizeof(snp_ext_report_req) == 112 && offsetof(snp_ext_report_req, certs_len) == 0x68);
static_assert(sizeof(snp_derived_key_req) == sizeof(snp::MsgKeyReq));
static_assert(sizeof(snp_derived_key_resp) == sizeof(snp::MsgKeyRsp));

/// What the driver presets before the firmware is called, and what it says if the hypervisor was not reached (-1).
inline constexpr std::uint64_t kExitNotCalled = 0xff, kExitNoFirmwareCall = ~0ULL;
/// The most room for certificates that the driver takes: 16 KiB.
inline constexpr std::size_t kMaxCertsBytes = posix::kMaxCertificatePages * snp::kPageBytes;

/// SevGuestCopies says what an ioctl copies from req_data and to resp_data.
struct SevGuestCopies {
  std::size_t question, response;
};
/// copies_of returns nothing for a request that the driver does not know.
std::optional<SevGuestCopies> copies_of(std::uint32_t request);

/// SevGuestDriver is what Linux' sev-guest driver does between its ioctls and the hypervisor: checks in its order, its
/// errno and exitinfo2, its sequence numbers and its patience with a busy host (the same message every 2 s for 60 s).
/// As there, any failure but INVALID_LEN costs the VMPCK, and every later call is ENOTTY, with exitinfo2 as the caller
/// left it. Two things differ: a host
/// that never answers is given up after that minute instead of never, and INVALID_LEN whose plain second request fails
/// costs the VMPCK at once instead of with the next request. One thread at a time.
class SevGuestDriver {
 public:
  /// Answer is how an ioctl ends. Views are valid until the next call.
  ///   error      errno, 0 = success
  ///   exitinfo2  to be written into the argument unless it is 0
  ///   certs_len  to be written into the request, if there: room that the host's certificates need
  ///   response   for resp_data, and `certs` for certs_address; both empty unless the call succeeded
  struct Answer {
    int error = 0;
    std::uint64_t exitinfo2 = 0;
    std::optional<std::uint32_t> certs_len = std::nullopt;
    Bytes response = {}, certs = {};
  };

  /// `key` is VMPCK `vmpck`. `port` and `clock` outlive the driver. It is 36 KiB large.
  SevGuestDriver(snp::Vmpck key, unsigned vmpck, snp::ExtendedGuestRequestPort& port, Clock& clock);
  ~SevGuestDriver();

  /// check judges what can be judged before req_data is read. An answer ends the ioctl.
  static std::optional<Answer> check(std::uint32_t request, const snp_guest_request_ioctl& argument);

  /// check_room judges the room for certificates in an extended request; room_of is how much of it is wanted, in
  /// octets.
  static std::optional<Answer> check_room(const snp_ext_report_req& question);
  static std::size_t room_of(const snp_ext_report_req& question);

  /// call does all of it. `question` has the octets that copies_of promises, or the answer is EFAULT.
  Answer call(std::uint32_t request, const snp_guest_request_ioctl& argument, Bytes question);

  /// forget wipes the last answer, which may hold a key.
  void forget();

 private:
  Answer derived_key(std::uint8_t version, Bytes question);
  Answer report(std::uint8_t version, Bytes question);
  Answer extended_report(std::uint8_t version, Bytes question);
  Answer relay(const snp::GuestChannel::Relay& message, std::size_t response);

  Clock& clock_;
  snp::ChannelPages pages_{};
  snp::GuestChannel channel_;
  alignas(snp::kPageBytes) ByteArray<kMaxCertsBytes> certs_{};
  ByteArray<sizeof(snp_report_resp)> response_{};
};

}  // namespace attestbed::sim
