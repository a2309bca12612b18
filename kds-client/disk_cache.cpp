// SPDX-License-Identifier: Apache-2.0
#include "kds-client/disk_cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "core/crypto/sha2.h"
#include "core/posix/describe.h"

namespace attestbed::kds {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMagic = "attestbed KDS cache 1";
constexpr std::string_view kEnding = ".kds";
constexpr std::size_t kMaxHeadBytes = 1024;
constexpr std::size_t kNameDigits = 32;

std::string digest_text(Bytes octets) {
  const Result<crypto::Sha256Digest> digest = crypto::sha256({octets});
  return digest ? posix::to_hex(*digest) : std::string();
}

/// A file is four lines (magic, target, SHA-256, seconds since 1970) and the answer.
std::string head_of(const Request& request, Bytes octets, verify::Time fetched) {
  return std::string(kMagic) + "\n" + request.target() + "\n" + digest_text(octets) + "\n" +
         std::to_string(fetched.time_since_epoch().count()) + "\n";
}

std::optional<DiskCache::Entry> entry_in(const std::string& file, const Request& request) {
  std::string_view rest = file;
  std::string_view lines[4];
  for (std::string_view& line : lines) {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
  }
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(lines[3].data(), lines[3].data() + lines[3].size(), seconds);
  if (error != std::errc() || end != lines[3].data() + lines[3].size()) return std::nullopt;
  DiskCache::Entry entry{.octets = {rest.begin(), rest.end()}, .fetched = verify::Time(std::chrono::seconds(seconds))};
  // Built again, so that every octet of the head counts.
  const std::string head = head_of(request, entry.octets, entry.fetched);
  if (file.size() != head.size() + rest.size() || !file.starts_with(head)) return std::nullopt;
  return entry;
}

Refusal failed(Errc code, const std::string& path, std::string expected, std::string found) {
  return {code, verify::printable(path, 200), std::move(expected), std::move(found)};
}

void make_room(const std::string& directory) {
  std::error_code error;
  std::size_t files = 0;
  fs::path oldest;
  fs::file_time_type oldest_time = fs::file_time_type::max();
  for (fs::directory_iterator entry(directory, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    if (entry->path().extension() != kEnding) continue;
    ++files;
    std::error_code gone;
    const fs::file_time_type time = entry->last_write_time(gone);
    if (gone || time >= oldest_time) continue;
    oldest = entry->path();
    oldest_time = time;
  }
  if (files >= DiskCache::kMaxFiles && !oldest.empty()) fs::remove(oldest, error);
}

}  // namespace

Checked<DiskCache> DiskCache::open(std::string directory) {
  while (directory.size() > 1 && directory.ends_with('/')) directory.pop_back();
  std::error_code error;
  const fs::path parent = fs::path(directory).parent_path();
  if (!parent.empty()) fs::create_directories(parent, error);
  if (::mkdir(directory.c_str(), S_IRWXU) != 0 && errno != EEXIST) {
    return failed(Errc::io_failed, directory, "a directory that can be made", std::generic_category().message(errno));
  }
  struct stat about {};
  // Not lstat: a link of the owner's to a directory of the owner's is as good.
  if (::stat(directory.c_str(), &about) != 0 || !S_ISDIR(about.st_mode)) {
    return failed(Errc::bad_config, directory, "a directory for the KDS cache", "something else");
  }
  if (about.st_uid != ::geteuid() || (about.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return failed(Errc::bad_config, directory, "a directory of this user and of mode 0700",
                  about.st_uid != ::geteuid() ? "another user's" : "one that is open to others (chmod 700)");
  }
  return DiskCache(std::move(directory));
}

std::string DiskCache::path_of(const Request& request) const {
  return directory_ + "/" + request.name() + "-" + digest_text(bytes_of(request.target())).substr(0, kNameDigits) +
         std::string(kEnding);
}

std::optional<DiskCache::Entry> DiskCache::read(const Request& request) const {
  const std::string path = path_of(request);
  struct stat about {};
  // A FIFO of the right name would block for ever.
  if (::lstat(path.c_str(), &about) != 0 || !S_ISREG(about.st_mode)) return std::nullopt;
  const Result<std::string> file = posix::read_file(path, kMaxHeadBytes + request.max_octets());
  std::optional<Entry> entry;
  if (file) entry = entry_in(*file, request);
  if (entry && request.check_answer(entry->octets, path)) return entry;
  const bool damaged = file || file.error().code == Errc::too_large;
  if (damaged) forget(request);
  return std::nullopt;
}

Checked<void> DiskCache::write(const Request& request, Bytes octets, verify::Time fetched) const {
  make_room(directory_);
  const std::string path = path_of(request);
  std::string file = head_of(request, octets, fetched);
  file += text_of(octets);
  const Status written = posix::replace_file_private(path, bytes_of(file));
  if (written) return {};
  return failed(Errc::io_failed, path, "a file that can be written", posix::numbers_in_words(written.error()));
}

void DiskCache::forget(const Request& request) const {
  ::unlink(path_of(request).c_str());
}

}  // namespace attestbed::kds
