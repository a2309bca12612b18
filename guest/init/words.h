// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "core/protocol/ext.h"
#include "guest/init/failure.h"

namespace attestbed::guest {

inline constexpr std::size_t kMaxWordsBytes = 16 * 1024;
inline constexpr const char* kDefaultLinePort = "attestbed.proxy";
inline constexpr const char* kFirmwarePort = "attestbed.firmware";

/// LineWord is attest.transport: where the proxy is met.
///   place  device of a serial line, or name of a virtio port
///   base   first I/O port of a UART that is driven without the kernel
struct LineWord {
  enum class Type : std::uint8_t { serial, uart, virtio_port, vsock };
  Type type = Type::serial;
  std::string place = "/dev/ttyS2";
  std::uint16_t base = 0;
  std::uint32_t cid = 0, port = 0;
  friend bool operator==(const LineWord&, const LineWord&) = default;
};

/// FirmwareWord is attest.firmware: where reports come from.
///   place  device or directory that was named; empty = the usual one
struct FirmwareWord {
  enum class Type : std::uint8_t { automatic, sev_guest, tsm, simulated, simulated_inside };
  Type type = Type::automatic;
  std::string place;
  friend bool operator==(const FirmwareWord&, const FirmwareWord&) = default;

  bool simulated() const { return type == Type::simulated || type == Type::simulated_inside; }
};

/// SecretWord is attest.secret: where the secret goes.
///   place  path, description of the key, or name of the virtio port
struct SecretWord {
  enum class Type : std::uint8_t { drop, file, fifo, key, port };
  Type type = Type::drop;
  std::string place;
  friend bool operator==(const SecretWord&, const SecretWord&) = default;
};

/// NextWord is attest.next: what becomes of PID 1 once the secret was handed on.
///   root  directory that becomes the root; of switch_root alone
///   init  program that follows
struct NextWord {
  enum class Type : std::uint8_t { poweroff, exec, switch_root };
  Type type = Type::poweroff;
  std::string root, init;
  friend bool operator==(const NextWord&, const NextWord&) = default;
};

/// Words is the configuration of a guest whose attest-guest is PID 1.
///   secret_auth_none  attest.secret_auth=none was said; there is no default
///   debug_exit        I/O port of QEMU's isa-debug-exit; absent: ACPI power-off
struct Words {
  LineWord line;
  FirmwareWord firmware;
  protocol::Terms terms;
  bool secret_auth_none = false;
  std::chrono::seconds timeout{60};
  unsigned vmpl = 0;
  SecretWord secret;
  NextWord next;
  std::optional<std::uint16_t> debug_exit;
  friend bool operator==(const Words&, const Words&) = default;
};

/// ParsedWords is what was understood, and the first word that was not. After a failure only `debug_exit` is of use:
/// it says how to leave.
struct ParsedWords {
  Words words;
  std::optional<Failure> failure;
};

/// parse_words reads `file` (guest.conf: one word a line, `#` begins a comment) and then `command_line` (words between
/// white space; those that do not begin with `attest.` are the kernel's and its modules'), which wins. Neither may
/// say a word twice.
///   errors  bad_config: an unknown or repeated word, a value that is not of its form, a text above 16 KiB, no
///           attest.secret_auth, words that do not go together
ParsedWords parse_words(std::string_view file, std::string_view command_line);

/// words_text is the words in the form of guest.conf; what parses reads the same from it.
std::string words_text(const Words& words);

}  // namespace attestbed::guest
