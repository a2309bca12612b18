// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "core/protocol/binding.h"

namespace attestbed::tools {

/// LineType is what runs between guest and proxy.
///   unix_socket  a unix socket; every guest connects to the same one
///   pty          a serial line for each guest: two pseudo terminals, joined by a cable in attestbed
///   uart         a 16550 for each guest: the guest library in attestbed, over the register model, whose far end is
///                connected to the proxy's socket as QEMU connects a serial port
/// and of a guest in a VM:
///   com3           QEMU's third serial port, which the guest's kernel drives
///   com3_raw       the same, which attest-guest drives, register by register
///   virtio_serial  a port of the virtio-serial device
///   vsock          where the host has vhost-vsock
enum class LineType { unix_socket, pty, uart, com3, com3_raw, virtio_serial, vsock };

/// line_name is the value of --transport.
constexpr const char* line_name(LineType type) {
  switch (type) {
    case LineType::pty:
      return "pty";
    case LineType::uart:
      return "uart";
    case LineType::com3:
      return "com3";
    case LineType::com3_raw:
      return "com3-raw";
    case LineType::virtio_serial:
      return "virtio-serial";
    case LineType::vsock:
      return "vsock";
    case LineType::unix_socket:
      break;
  }
  return "unix";
}

/// BrokerType is what stands behind the proxy's --url.
///   serving  mock-kbs
///   absent   a port on which nobody listens
///   silent   a port that takes connections and never answers
enum class BrokerType { serving, absent, silent };

/// Tamper is what a man in the middle does to one frame between guest and proxy, or when he sees it (run_tamper.h).
enum class Tamper { nothing, challenge, params, key, signature, ciphertext, kill_proxy };

/// The image that snp-sim launches unless told otherwise.
inline constexpr const char* kDefaultImage = "attestbed-demo-guest";

/// kMinTimeout is the shortest time for a guest of which something can be taken off: a proxy takes whole seconds.
inline constexpr std::chrono::seconds kMinTimeout{2};

/// proxy_share is what a proxy may take for its broker out of a guest's time: three quarters. So a guest that waits for
/// a slow broker is told broker_timeout and does not run into its own deadline, which says nothing of the broker. The
/// quarter also covers what the guest does before its first octet, above all making an RSA key.
constexpr std::chrono::seconds proxy_share(std::chrono::seconds guest) {
  return guest * 3 / 4;
}

/// Inputs is everything that a part is given from outside and that --break may change. The defaults are an honest run.
///   launched_image, registered_image   labels of the image that is launched, and of the one that the broker knows
///   policy           of the launch, hexadecimal
///   firmware_faults  a fault plan of snp-sim, "N:KIND"; empty = none
///   vmpl             that the guest asks its report for
struct Inputs {
  const char* launched_image = kDefaultImage;
  const char* registered_image = kDefaultImage;
  const char* policy = "30000";
  const char* firmware_faults = "";
  unsigned vmpl = 0;
  BrokerType broker = BrokerType::serving;
  Tamper tamper = Tamper::nothing;
  std::chrono::seconds guest_timeout{60}, proxy_timeout = proxy_share(guest_timeout);
};

struct BreakRow;

/// Scenario is what one `attestbed run` stages: inputs alone, no check is ever switched off by it.
///   secret    what the broker releases; at most 32 KiB
///   resource  repository/type/tag, at broker, proxy and guest
///   product   "Milan" or "Genoa"
///   guests    how many attest-guest at once, 1..kMaxGuests
///   binding, key   a pair that exists, at guest and broker
///   tls       proxy and broker speak https, under a CA of this run
///   faults    what the broker does wrong: ENDPOINT:N:KIND, see mock-kbs/fault_plan.h
///   broken    the row of --break that `inputs` follow, null = none (run_break.h)
struct Scenario {
  static constexpr unsigned kMaxGuests = 256;

  std::string secret = "hello, SVSM!";
  std::string resource = "default/sample/test";
  std::string product = "Milan";
  unsigned guests = 1;
  LineType line = LineType::unix_socket;
  protocol::Binding binding = protocol::Binding::svsm_sha512;
  protocol::KeyType key = protocol::KeyType::p521;
  bool tls = false;
  std::vector<std::string> faults{};
  Inputs inputs{};
  const BreakRow* broken = nullptr;
};

}  // namespace attestbed::tools
