// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/posix/firmware_socket.h"
#include "core/snp/guest_channel.h"
#include "guest/sev_guest_device.h"
#include "guest/tsm_report.h"

namespace attestbed::guest {

/// FirmwareAddress is where reports come from: a socket of simulated firmware, the kernel's device, or its configfs.
///   path   of the socket, the device, or the tree; unused where the kind is `automatic`
///   certs  ask the host at the socket for certificates, too; the kernel's driver always is
struct FirmwareAddress {
  enum class Kind : std::uint8_t { unix_socket, sev_guest, tsm, automatic };
  Kind kind = Kind::unix_socket;
  std::string path;
  bool certs = false;

  /// The page protocol over a socket exists in simulation only, so this is a fact and not a guess. Whether the kernel's
  /// interfaces are simulated cannot be told from here: what they answer is the same.
  bool simulated() const { return kind == Kind::unix_socket; }
  /// text is the address as --firmware takes it.
  std::string text() const;
};

/// parse_firmware reads unix:PATH, sev-guest[:DEVICE], tsm[:TREE] or auto. Errors: bad_config.
Result<FirmwareAddress> parse_firmware(std::string_view text);

/// chosen is the address itself, or what `auto` comes to on this system: the device if it is there, else the tree.
///   errors  firmware_unreachable if there is neither
Result<FirmwareAddress> chosen(const FirmwareAddress& address, const char* device = kDefaultSevGuestDevice,
                               const char* tree = kDefaultTsmTree);

/// FirmwarePages is the memory that the ways to the firmware work in, of which one is open.
struct FirmwarePages {
  snp::ChannelPages channel;
  union {
    SevGuestPages device{};
    TsmPages tsm;
  };
};

/// Firmware is an open way to the firmware. Clock and pages outlive it.
class Firmware {
 public:
  Firmware(Clock& clock, FirmwarePages& pages) : clock_(clock), pages_(pages) {}

  /// open reaches the firmware by `until`; only once. Errors: firmware_unreachable, firmware_reply, firmware_refused,
  /// and those of vmpck_from_secrets_page.
  Status open(const FirmwareAddress& address, unsigned vmpl, Deadline until);

  /// reports and used are valid after open(); used is the address that was opened.
  ReportProvider& reports();
  const FirmwareAddress& used() const { return used_; }

 private:
  Status open_socket(const FirmwareAddress& address, unsigned vmpl, Deadline until);
  Status open_device(const std::string& path, unsigned vmpl);
  Status open_tree(const std::string& path, unsigned vmpl);

  Clock& clock_;
  FirmwarePages& pages_;
  std::unique_ptr<posix::FirmwareSocket> socket_;
  std::optional<snp::GuestChannel> channel_;
  std::optional<SevGuestFile> file_;
  std::optional<SevGuestDevice> device_;
  std::optional<TsmDirectory> tree_;
  std::optional<TsmReport> tsm_;
  FirmwareAddress used_;
};

}  // namespace attestbed::guest
