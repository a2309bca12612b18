// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/crypto/rsa.h"
#include "core/platform/clock.h"
#include "core/posix/fd.h"
#include "core/protocol/binding.h"
#include "sim/uart_line.h"
#include "tools/launch/child.h"

namespace attestbed::tools {

/// UartGuest is what a guest over the 16550 model is told; the meaning is that of attest-guest's flags.
///   proxy_socket, firmware_socket  unix sockets of real processes
///   secret_file, report_file       new files, as with --out and --report
///   key_progress                   hears of the search for an RSA key; null = nobody
///   stop_fd                        readable once the run shall end, -1 = never: then the UART is gone for the guest
struct UartGuest {
  std::string proxy_socket, firmware_socket;
  std::string resource;
  protocol::Binding binding = protocol::Binding::svsm_sha512;
  protocol::KeyType key = protocol::KeyType::p521;
  unsigned vmpl = 0;
  std::chrono::seconds timeout{60};
  std::string secret_file, report_file;
  crypto::KeyProgress* key_progress = nullptr;
  int stop_fd = -1;
};

/// UartGuestEnd is what it left behind, as an attest-guest process would have.
///   exit    exit status of attest-guest
///   result  the object that attest-guest --json prints, with one more member "uart":
///             {accesses, intercepted, idle_polls, octets, intercepted_per_octet, tx_overruns, rx_overruns}
///   words   its line for people, if it had something to complain about
struct UartGuestEnd {
  launch::Exit exit;
  std::string result;
  std::string words;
  sim::UartCounts counts;
};

/// run_uart_guest runs one attempt of the guest library in this process, over guest/uart_transport over the register
/// model, whose far end a UartCable joins to the proxy. It returns as attest-guest would: within the timeout, a second
/// later if the attempt lost step.
UartGuestEnd run_uart_guest(const UartGuest& guest, Clock& clock);

/// uart_line_for_people is the counts in one line.
std::string uart_line_for_people(const sim::UartCounts& counts);

}  // namespace attestbed::tools
