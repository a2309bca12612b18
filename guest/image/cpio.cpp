// SPDX-License-Identifier: Apache-2.0
#include "guest/image/cpio.h"

#include <array>
#include <string_view>

namespace attestbed::guest {
namespace {

constexpr std::uint32_t kFolder = 0040755, kData = 0100644, kProgram = 0100755, kCharacterDevice = 0020600;
constexpr std::string_view kTrailer = "TRAILER!!!";
constexpr std::size_t kMaxPathBytes = 1024;

void append_hex(std::string& to, std::uint32_t value) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (int shift = 28; shift >= 0; shift -= 4) to += kDigits[value >> shift & 0xf];
}

void pad(std::string& to) {
  to.resize((to.size() + 3) & ~std::size_t{3}, '\0');
}

/// Header is the fields of one entry, in the order of the format.
struct Header {
  std::uint32_t inode = 0, mode = 0, links = 1, size = 0, device_major = 0, device_minor = 0;
};

void append_entry(std::string& to, const Header& header, std::string_view name, std::string_view octets) {
  to += "070701";
  const std::array<std::uint32_t, 13> fields{header.inode,
                                             header.mode,
                                             0,  // uid
                                             0,  // gid
                                             header.links,
                                             0,  // mtime
                                             header.size,
                                             0,  // device of the entry itself, major and minor
                                             0,
                                             header.device_major,
                                             header.device_minor,
                                             static_cast<std::uint32_t>(name.size() + 1),
                                             0};  // checksum, of another format
  for (const std::uint32_t field : fields) append_hex(to, field);
  to += name;
  to += '\0';
  pad(to);
  to += octets;
  pad(to);
}

bool is_good_path(std::string_view path) {
  if (!path.starts_with('/') || path.size() < 2 || path.size() > kMaxPathBytes) return false;
  if (path.find('\0') != std::string_view::npos) return false;
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::string_view part = path.substr(0, path.find('/'));
    if (part.empty() || part == "." || part == "..") return false;
    path.remove_prefix(part.size());
  }
  return true;
}

Failure refuse(const std::string& path, Errc code, const char* why, const char* remedy) {
  return {{code, "image"}, "'" + printable(path) + "' in the image: " + why, remedy};
}

}  // namespace

Outcome<void> CpioArchive::add(const std::string& path, Entry entry) {
  if (!is_good_path(path)) {
    return refuse(path, Errc::bad_config, "is not an absolute path of ordinary parts", "write it as /etc/file");
  }
  if (entry.octets.size() > kMaxArchiveBytes - total_) {
    return refuse(path, Errc::too_large, "with it the image is above 512 MiB", "leave something out");
  }
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const auto above = entries_.try_emplace(path.substr(1, slash - 1), Entry{.mode = kFolder}).first;
    if (above->second.mode != kFolder) {
      return refuse(path, Errc::bad_config, "lies below a file", "put it elsewhere");
    }
  }
  total_ += entry.octets.size();
  const bool folder = entry.mode == kFolder;
  const auto [at, added] = entries_.try_emplace(path.substr(1), std::move(entry));
  if (!added && !(folder && at->second.mode == kFolder)) {
    return refuse(path, Errc::bad_config, "is there already", "put it elsewhere: what the image has stays");
  }
  return {};
}

Outcome<void> CpioArchive::add_folder(const std::string& path) {
  return add(path, {.mode = kFolder});
}

Outcome<void> CpioArchive::add_file(const std::string& path, Mode mode, std::string octets) {
  return add(path, {.mode = mode == Mode::program ? kProgram : kData, .octets = std::move(octets)});
}

Outcome<void> CpioArchive::add_console() {
  return add("/dev/console", {.mode = kCharacterDevice, .device_major = 5, .device_minor = 1});
}

std::string CpioArchive::octets() const {
  std::string archive;
  std::uint32_t inode = 0;
  for (const auto& [path, entry] : entries_) {
    append_entry(archive,
                 {.inode = ++inode,
                  .mode = entry.mode,
                  .links = entry.mode == kFolder ? 2U : 1U,
                  .size = static_cast<std::uint32_t>(entry.octets.size()),
                  .device_major = entry.device_major,
                  .device_minor = entry.device_minor},
                 path, entry.octets);
  }
  append_entry(archive, {}, kTrailer, {});
  return archive;
}

}  // namespace attestbed::guest
