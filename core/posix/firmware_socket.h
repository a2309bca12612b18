// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "core/base/wire.h"
#include "core/posix/fd_transport.h"
#include "core/snp/guest_request.h"

namespace attestbed::posix {

/// FirmwareSocket is the guest's end of the page protocol of `snp-sim serve --unix PATH` (docs/firmware-socket.md). A
/// connection is a guest: connecting launches it, disconnecting destroys it. The server is the simulated machine, hence
/// as hostile as a host: every length is checked, every wait ends at its deadline. One thread at a time.
class FirmwareSocket final : public snp::ExtendedGuestRequestPort {
 public:
  /// connect reaches the socket at `path` by `until`. `clock` must outlive the socket.
  /// Errors: those of connect_unix (bad_config, transport with errno in `found`, deadline).
  static Result<std::unique_ptr<FirmwareSocket>> connect(const std::string& path, Clock& clock, Deadline until);

  /// over speaks the protocol over a line that is open: a connected socket, or a character device whose other end is a
  /// server (a virtio port). On such a line a guest ends when the server's side does.
  static std::unique_ptr<FirmwareSocket> over(Fd line, Clock& clock);

  /// cancel_on makes every call end with `closed` as soon as `fd` is readable; for shutdown. -1 = none.
  void cancel_on(int fd) { line_.cancel_on(fd); }

  /// secrets_page asks for the guest's secrets page, which holds its VMPCKs; must be the first and only such call. The
  /// caller wipes `page` when it has what it needs.
  ///   errors  deadline, closed, transport; firmware_refused (vmm << 32 | firmware in `found`); reserved_set,
  ///           bad_length if the answer is malformed. `page` is wiped on error.
  Status secrets_page(snp::Page& page, Deadline until);

  /// call carries one guest request page. Same errors as secrets_page, except that non-zero exit codes are the result.
  /// After an error the connection is out of step: every later call is `closed`.
  Result<snp::GuestRequestExit> call(const snp::Page& request, snp::Page& reply, Deadline until) override;

  /// call_extended carries one with room for certificates, of which whole pages up to kMaxCertificatePages are offered.
  /// Same errors as call. A server that does not know extended requests closes the line.
  Result<snp::ExtendedExit> call_extended(const snp::Page& request, MutBytes certs, snp::Page& reply,
                                          Deadline until) override;

 private:
  FirmwareSocket(Fd fd, Clock& clock) : line_(std::move(fd), clock) {}
  /// Question is what one request sends, and where its answer goes.
  struct Question {
    std::uint32_t kind;
    Bytes head, page;  // either may be absent
    MutBytes reply, certs;
  };
  Result<snp::ExtendedExit> ask(const Question& question, Deadline until);
  Result<snp::ExtendedExit> exchange(const Question& question, Deadline until);

  FdTransport line_;
  bool broken_ = false;
};

/// read_exactly fills `into`. Errors: those of Transport::read_some; how much came before is not told.
Status read_exactly(Transport& line, MutBytes into, Deadline until);

/// The protocol's frames, for both ends. Integers are little-endian.
struct FirmwareRequestHead {
  le32 kind;
  le32 length;  // of the octets that follow
};
struct FirmwareExtendedHead {
  le32 pages;  // room for certificates
  le32 reserved;
};
struct FirmwareAnswerHead {
  le32 vmm;       // hypervisor code and
  le32 firmware;  // firmware status, as in SW_EXITINFO2; both zero = success
  le32 length;    // of the pages that follow on success, else 0
  le32 pages;     // needed for certificates, if an extended request's room is too small; else 0
};
static_assert(sizeof(FirmwareExtendedHead) == 8);
static_assert(sizeof(FirmwareRequestHead) == 8 && sizeof(FirmwareAnswerHead) == 16);
inline constexpr std::uint32_t kFirmwareKindSecrets = 1, kFirmwareKindGuestRequest = 2,
                               kFirmwareKindExtendedRequest = 3;
/// The most room for certificates, as of Linux' driver: 16 KiB.
inline constexpr std::size_t kMaxCertificatePages = 4;

}  // namespace attestbed::posix
