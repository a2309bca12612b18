// SPDX-License-Identifier: Apache-2.0
#include "guest/firmware.h"

namespace attestbed::guest {
namespace {

constexpr std::string_view kUnixScheme = "unix:", kDeviceScheme = "sev-guest";

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

Result<FirmwareAddress> parse_firmware(std::string_view text) {
  if (text == kDeviceScheme) return FirmwareAddress{FirmwareAddress::Kind::sev_guest, kDefaultSevGuestDevice};
  FirmwareAddress address;
  if (text.starts_with(kUnixScheme)) {
    address.path = text.substr(kUnixScheme.size());
  } else if (text.starts_with(kDeviceScheme) && text[kDeviceScheme.size()] == ':') {
    address.kind = FirmwareAddress::Kind::sev_guest;
    address.path = text.substr(kDeviceScheme.size() + 1);
  }
  if (address.path.empty()) return Error{Errc::bad_config, "--firmware"};
  return address;
}

Status Firmware::open(const FirmwareAddress& address, unsigned vmpl, Deadline until) {
  if (address.kind == FirmwareAddress::Kind::sev_guest) return open_device(address.path, vmpl);
  return open_socket(address, vmpl, until);
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
  return *channel_;
}

}  // namespace attestbed::guest
