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

/// numbers_in_words is the part of it about `found` and `expected`, as their meaning goes with the code: "expected 12,
/// found 11", "at most 32768, found 70000", "octet 57", "No such file or directory", "found INVALID_PARAM (0x16)";
/// empty where they say nothing.
std::string numbers_in_words(const Error& error);

/// hex_number is a number as "0x2a".
std::string hex_number(std::uint64_t number);

/// to_hex writes lower-case hex; from_hex reads hex of either case, false on anything else.
std::string to_hex(Bytes octets);
bool from_hex(std::string_view text, std::string& octets);

/// read_file reads a regular file of at most `max` octets; a pipe, socket or device could make it wait for ever.
/// Errors: io_failed with errno in `found`, or at kNotRegular; too_large.
inline constexpr char kNotRegular[] = "a pipe, socket or device";
Result<std::string> read_file(const std::string& path, std::size_t max);

/// write_file_private makes a new file of mode 0600, whole or not at all: after an error there is no such file and
/// nothing beside it, and nobody ever sees half of one. What exists already is never touched, a link neither.
///   by      linked: the file gets its name when it is complete (O_TMPFILE), by way of a provisional name where the
///           file system has no such files; renamed: always so
///   errors  io_failed with errno in `found`, EEXIST if the path names something
enum class NewFile { linked, renamed };
Status write_file_private(const std::string& path, Bytes octets, NewFile by = NewFile::linked);

/// replace_file_private does the same and replaces a file or link of this name, in one step.
/// Errors: io_failed with errno in `found`, EISDIR for a directory.
Status replace_file_private(const std::string& path, Bytes octets);

}  // namespace attestbed::posix
