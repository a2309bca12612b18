// SPDX-License-Identifier: Apache-2.0
#include "guest/firmware.h"

#include <unistd.h>

#include <cerrno>

namespace attestbed::guest {
namespace {

constexpr std::string_view kUnixScheme = "unix", kDeviceScheme = "sev-guest", kTsmScheme = "tsm", kAutomatic = "auto";

constexpr std::string_view scheme_of(FirmwareAddress::Kind kind) {
  switch (kind) {
    case FirmwareAddress::Kind::unix_socket:
      return kUnixScheme;
    case FirmwareAddress::Kind::sev_guest:
      return kDeviceScheme;
    case FirmwareAddress::Kind::tsm:
      return kTsmScheme;
    case FirmwareAddress::Kind::automatic:
      return kAutomatic;
  }
  return {};
}

// Core's codes name what broke, not on which of the two lines: a dead firmware must not read as a dead proxy.
Error firmware_error(const Error& error, const char* where) {
  switch (error.code) {
    case Errc::deadline:
    case Errc::closed:
    case Errc::transport:
      return {Errc::firmware_unreachable, where, error.found, error.expected};
    case Errc::bad_length:
    case Errc::reserved_set:
      return {Errc::firmware_reply, where, error.found, error.expected};
    default:
      return error;
  }
}

Result<snp::Vmpck> fetch_vmpck(posix::FirmwareSocket& firmware, snp::Page& page, Deadline until) {
  const Status fetched = firmware.secrets_page(page, until);
  if (!fetched) return firmware_error(fetched.error(), "secrets page");
  Result<snp::Vmpck> key = snp::vmpck_from_secrets_page(page, 0);
  wipe(page);
  return key;
}

}  // namespace

std::string FirmwareAddress::text() const {
  const std::string scheme(scheme_of(kind));
  return kind == Kind::automatic ? scheme : scheme + ":" + path;
}

Result<FirmwareAddress> parse_firmware(std::string_view text) {
  using Kind = FirmwareAddress::Kind;
  if (text == kDeviceScheme) return FirmwareAddress{Kind::sev_guest, kDefaultSevGuestDevice};
  if (text == kTsmScheme) return FirmwareAddress{Kind::tsm, kDefaultTsmTree};
  if (text == kAutomatic) return FirmwareAddress{Kind::automatic, {}};
  const std::size_t colon = text.find(':');
  for (const Kind kind : {Kind::unix_socket, Kind::sev_guest, Kind::tsm}) {
    if (colon == text.npos || text.substr(0, colon) != scheme_of(kind)) continue;
    const std::string path(text.substr(colon + 1));
    if (!path.empty()) return FirmwareAddress{kind, path};
  }
  return Error{Errc::bad_config, "--firmware"};
}

Result<FirmwareAddress> chosen(const FirmwareAddress& address, const char* device, const char* tree) {
  using Kind = FirmwareAddress::Kind;
  if (address.kind != Kind::automatic) return address;
  if (::access(device, F_OK) == 0) return FirmwareAddress{Kind::sev_guest, device};
  if (TsmDirectory(tree).exists()) return FirmwareAddress{Kind::tsm, tree};
  return Error{Errc::firmware_unreachable,
               "--firmware auto: neither the sev-guest device nor configfs-tsm; an SNP guest has them once the module "
               "sev-guest is loaded",
               ENOENT};
}

Status Firmware::open(const FirmwareAddress& address, unsigned vmpl, Deadline until) {
  used_ = TRY(chosen(address));
  switch (used_.kind) {
    case FirmwareAddress::Kind::sev_guest:
      return open_device(used_.path, vmpl);
    case FirmwareAddress::Kind::tsm:
      return open_tree(used_.path, vmpl);
    default:
      return open_socket(used_, vmpl, until);
  }
}

Status Firmware::open_tree(const std::string& path, unsigned vmpl) {
  tree_.emplace(path);
  if (!tree_->exists()) {
    return Error{Errc::firmware_unreachable,
                 "--firmware: no configfs-tsm tree; kernels from 6.7 have it, once configfs is mounted", ENOENT};
  }
  tsm_.emplace(*tree_, clock_, pages_.tsm, vmpl);
  return ok();
}

Status Firmware::open_socket(const FirmwareAddress& address, unsigned vmpl, Deadline until) {
  auto socket = posix::FirmwareSocket::connect(address.path, clock_, until);
  if (!socket) return firmware_error(socket.error(), "--firmware");
  socket_ = *std::move(socket);
  snp::Vmpck vmpck = TRY(fetch_vmpck(*socket_, pages_.channel.scratch, until));
  snp::GuestChannel::Options options{.vmpl = vmpl};
  if (address.certs) {
    options.extended = socket_.get();
    options.certs = pages_.device.certs;  // of the two ways to the firmware one is open
  }
  channel_.emplace(std::move(vmpck), *socket_, clock_, pages_.channel, options);
  return ok();
}

Status Firmware::open_device(const std::string& path, unsigned vmpl) {
  Result<SevGuestFile> file = SevGuestFile::open(path);
  if (!file) return file.error();
  file_.emplace(*std::move(file));
  device_.emplace(*file_, clock_, pages_.device, vmpl);
  return ok();
}

ReportProvider& Firmware::reports() {
  if (device_) return *device_;
  if (tsm_) return *tsm_;
  return *channel_;
}

}  // namespace attestbed::guest
