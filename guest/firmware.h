// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/posix/firmware_socket.h"
#include "core/snp/guest_channel.h"
#include "guest/sev_guest_device.h"

namespace attestbed::guest {

/// FirmwareAddress is where reports come from: a socket of simulated firmware, or the kernel's device.
///   certs  ask the host at the socket for certificates, too; the device's driver always is
struct FirmwareAddress {
  enum class Kind : std::uint8_t { unix_socket, sev_guest };
  Kind kind = Kind::unix_socket;
  std::string path;
  bool certs = false;

  /// The page protocol over a socket exists in simulation only, so this is a fact and not a guess.
  bool simulated() const { return kind == Kind::unix_socket; }
};

/// parse_firmware reads unix:PATH, sev-guest or sev-guest:DEVICE. Errors: bad_config.
Result<FirmwareAddress> parse_firmware(std::string_view text);

/// FirmwarePages is the memory that either way to the firmware works in.
struct FirmwarePages {
  snp::ChannelPages channel;
  SevGuestPages device;
};

/// Firmware is an open way to the firmware. Clock and pages outlive it.
class Firmware {
 public:
  Firmware(Clock& clock, FirmwarePages& pages) : clock_(clock), pages_(pages) {}

  /// open reaches the firmware by `until`; only once. Errors: firmware_unreachable, firmware_reply, firmware_refused,
  /// and those of vmpck_from_secrets_page.
  Status open(const FirmwareAddress& address, unsigned vmpl, Deadline until);

  /// reports is valid after open().
  ReportProvider& reports();

 private:
  Status open_socket(const FirmwareAddress& address, unsigned vmpl, Deadline until);
  Status open_device(const std::string& path, unsigned vmpl);

  Clock& clock_;
  FirmwarePages& pages_;
  std::unique_ptr<posix::FirmwareSocket> socket_;
  std::optional<snp::GuestChannel> channel_;
  std::optional<SevGuestFile> file_;
  std::optional<SevGuestDevice> device_;
};

}  // namespace attestbed::guest
