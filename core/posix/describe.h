// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace attestbed::posix {

/// describe is an Error as people read it, one line: code, field, expected and found, what to do next.
///   "bad_length: a field that has one legal length has another (at decryption.iv; expected 12, found 11): the sender
///   …"
std::string describe(const Error& error);

/// to_hex writes lower-case hex; from_hex reads hex of either case, false on anything else.
std::string to_hex(Bytes octets);
bool from_hex(std::string_view text, std::string& octets);

/// read_file reads at most `max` octets; write_file_private writes a new file of mode 0600 in one step (a temporary
/// name beside it, then rename), so a reader never sees half. Errors: io_failed with errno in `found`, too_large.
Result<std::string> read_file(const std::string& path, std::size_t max);
Status write_file_private(const std::string& path, Bytes octets);

}  // namespace attestbed::posix
