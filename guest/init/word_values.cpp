// SPDX-License-Identifier: Apache-2.0
#include "guest/init/word_values.h"

#include <algorithm>
#include <charconv>

#include "core/posix/vsock.h"
#include "guest/line.h"

namespace attestbed::guest {
namespace {

constexpr std::size_t kMaxPathBytes = 1024;
constexpr std::size_t kMaxNameBytes = 64;

/// Parts is a value at its first colon: `serial:/dev/ttyS2` has the kind `serial` and the rest `/dev/ttyS2`.
struct Parts {
  std::string_view kind, rest;
  bool colon;
};
Parts parts_of(std::string_view value) {
  const std::size_t colon = value.find(':');
  if (colon == std::string_view::npos) return {value, {}, false};
  return {value.substr(0, colon), value.substr(colon + 1), true};
}

// Printable, since messages show it; no colon and no '#', which mean something else; no quote, which the kernel's own
// parser would take for one.
bool plain(char c) {
  return c > 0x20 && c < 0x7f && c != ':' && c != '#' && c != '"';
}
bool is_path(std::string_view text) {
  return text.starts_with('/') && text.size() <= kMaxPathBytes && std::ranges::all_of(text, plain);
}
bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kMaxNameBytes && std::ranges::all_of(text, plain);
}

bool read_number(std::string_view text, std::uint32_t least, std::uint32_t most, std::uint32_t& into) {
  const bool hexadecimal = text.starts_with("0x");
  if (hexadecimal) text.remove_prefix(2);
  std::uint32_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value, hexadecimal ? 16 : 10);
  if (error != std::errc() || at != end || value < least || value > most) return false;
  into = value;
  return true;
}

bool read_vsock(std::string_view text, LineWord& line) {
  const Result<LineAddress> address = parse_vsock(text);
  if (!address) return false;
  line.cid = address->cid;
  line.port = address->port;
  return true;
}

bool read_line(const Parts& value, LineWord& line) {
  if (value.kind == "com3") return !value.colon;
  if (value.kind == "serial") {
    line.place = value.rest;
    return is_path(value.rest);
  }
  line.place.clear();
  if (value.kind == "uart") {
    line.type = LineWord::Type::uart;
    std::uint32_t base = 0;
    // Its eight registers lie within the ports, and no port is nobody's.
    const bool good = read_number(value.rest, 1, 0xfff8, base);
    line.base = static_cast<std::uint16_t>(base);
    return good;
  }
  if (value.kind == "virtio-serial") {
    line.type = LineWord::Type::virtio_port;
    line.place = value.colon ? value.rest : kDefaultLinePort;
    return is_name(line.place);
  }
  if (value.kind != "vsock") return false;
  line.type = LineWord::Type::vsock;
  line.cid = posix::kVsockHostCid;
  line.port = posix::kDefaultVsockPort;
  return !value.colon || read_vsock(value.rest, line);
}

bool read_source(const Parts& value, FirmwareWord& firmware) {
  using Type = FirmwareWord::Type;
  static constexpr std::pair<std::string_view, Type> kTypes[] = {{"auto", Type::automatic},
                                                                 {"sev-guest", Type::sev_guest},
                                                                 {"tsm", Type::tsm},
                                                                 {"simulated", Type::simulated},
                                                                 {"simulated-inside", Type::simulated_inside}};
  const auto* const known = std::ranges::find(kTypes, value.kind, &std::pair<std::string_view, Type>::first);
  if (known == std::end(kTypes)) return false;
  firmware.type = known->second;
  firmware.place = value.rest;
  const bool has_place = firmware.type == Type::sev_guest || firmware.type == Type::tsm;
  return !value.colon || (has_place && is_path(value.rest));
}

bool read_destination(const Parts& value, SecretWord& secret) {
  secret.place = value.rest;
  if (value.kind == "drop") return !value.colon;
  if (value.kind == "file" || value.kind == "fifo") {
    secret.type = value.kind == "file" ? SecretWord::Type::file : SecretWord::Type::fifo;
    return is_path(value.rest) && !value.rest.ends_with('/');
  }
  if (value.kind != "key" && value.kind != "port") return false;
  secret.type = value.kind == "key" ? SecretWord::Type::key : SecretWord::Type::port;
  return is_name(value.rest);
}

bool read_stage(const Parts& value, NextWord& next) {
  if (value.kind == "poweroff") return !value.colon;
  if (value.kind == "exec") {
    next.type = NextWord::Type::exec;
    next.init = value.rest;
    return is_path(next.init);
  }
  if (value.kind != "switch_root") return false;
  next.type = NextWord::Type::switch_root;
  const Parts root = parts_of(value.rest);
  next.root = root.kind;
  next.init = root.rest;
  return is_path(next.root) && next.root != "/" && is_path(next.init);
}

}  // namespace

bool read_transport(std::string_view value, Words& into) {
  LineWord line;
  if (!read_line(parts_of(value), line)) return false;
  into.line = std::move(line);
  return true;
}

bool read_firmware(std::string_view value, Words& into) {
  FirmwareWord firmware;
  if (!read_source(parts_of(value), firmware)) return false;
  into.firmware = std::move(firmware);
  return true;
}

bool read_binding(std::string_view value, Words& into) {
  const Result<protocol::Binding> binding = protocol::binding_named(value, "attest.binding");
  if (!binding) return false;
  into.terms.binding = *binding;
  return true;
}

bool read_key(std::string_view value, Words& into) {
  const Result<protocol::KeyType> key = protocol::key_type_named(value, "attest.key");
  if (!key) return false;
  into.terms.key = *key;
  return true;
}

bool read_resource(std::string_view value, Words& into) {
  const Result<protocol::ResourcePath> path = protocol::ResourcePath::parse(value, "attest.resource");
  if (!path) return false;
  into.terms.resource = *path;
  return true;
}

bool read_secret_auth(std::string_view value, Words& into) {
  if (value != "none") return false;
  into.secret_auth_none = true;
  return true;
}

bool read_timeout(std::string_view value, Words& into) {
  std::uint32_t seconds = 0;
  if (!read_number(value, 1, 86400, seconds)) return false;
  into.timeout = std::chrono::seconds(seconds);
  return true;
}

bool read_vmpl(std::string_view value, Words& into) {
  std::uint32_t vmpl = 0;
  if (!read_number(value, 0, 3, vmpl)) return false;
  into.vmpl = vmpl;
  return true;
}

bool read_secret(std::string_view value, Words& into) {
  SecretWord secret;
  if (!read_destination(parts_of(value), secret)) return false;
  into.secret = std::move(secret);
  return true;
}

bool read_next(std::string_view value, Words& into) {
  NextWord next;
  if (!read_stage(parts_of(value), next)) return false;
  into.next = std::move(next);
  return true;
}

bool read_debug_exit(std::string_view value, Words& into) {
  std::uint32_t port = 0;
  if (!read_number(value, 1, 0xffff, port)) return false;
  into.debug_exit = static_cast<std::uint16_t>(port);
  return true;
}

std::string port_text(std::uint16_t port) {
  char text[] = "0x0000";
  const auto end = std::to_chars(text + 2, std::end(text), port, 16).ptr;
  return {text, end};
}

std::string transport_text(const LineWord& line) {
  switch (line.type) {
    case LineWord::Type::serial:
      return "serial:" + line.place;
    case LineWord::Type::uart:
      return "uart:" + port_text(line.base);
    case LineWord::Type::virtio_port:
      return "virtio-serial:" + line.place;
    case LineWord::Type::vsock:
      return "vsock:" + std::to_string(line.cid) + ":" + std::to_string(line.port);
  }
  return {};
}

std::string firmware_text(const FirmwareWord& firmware) {
  static constexpr const char* kNames[] = {"auto", "sev-guest", "tsm", "simulated", "simulated-inside"};
  return kNames[static_cast<std::size_t>(firmware.type)] + (firmware.place.empty() ? "" : ":" + firmware.place);
}

std::string secret_text(const SecretWord& secret) {
  static constexpr const char* kNames[] = {"drop", "file", "fifo", "key", "port"};
  return kNames[static_cast<std::size_t>(secret.type)] + (secret.place.empty() ? "" : ":" + secret.place);
}

std::string next_text(const NextWord& next) {
  switch (next.type) {
    case NextWord::Type::poweroff:
      return "poweroff";
    case NextWord::Type::exec:
      return "exec:" + next.init;
    case NextWord::Type::switch_root:
      return "switch_root:" + next.root + ":" + next.init;
  }
  return {};
}

}  // namespace attestbed::guest
