// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "guest/init/words.h"

namespace attestbed::guest {

/// One function per word: reads its value into `into`, or returns false and changes nothing.
bool read_transport(std::string_view value, Words& into);
bool read_firmware(std::string_view value, Words& into);
bool read_binding(std::string_view value, Words& into);
bool read_key(std::string_view value, Words& into);
bool read_resource(std::string_view value, Words& into);
bool read_secret_auth(std::string_view value, Words& into);
bool read_timeout(std::string_view value, Words& into);
bool read_vmpl(std::string_view value, Words& into);
bool read_secret(std::string_view value, Words& into);
bool read_next(std::string_view value, Words& into);
bool read_debug_exit(std::string_view value, Words& into);

/// And back: the value as it is written.
std::string transport_text(const LineWord& line);
std::string firmware_text(const FirmwareWord& firmware);
std::string secret_text(const SecretWord& secret);
std::string next_text(const NextWord& next);
std::string port_text(std::uint16_t port);

}  // namespace attestbed::guest
