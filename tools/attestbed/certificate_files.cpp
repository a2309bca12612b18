// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/certificate_files.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

namespace attestbed::tools {
namespace {

namespace fs = std::filesystem;
using verify::Checked;
using verify::Refusal;

Refusal io_failed(const std::string& path, const char* expected, const std::string& found) {
  return {Errc::io_failed, verify::printable(path, 200), expected, found};
}

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

bool looks_like_certificate(const fs::path& path) {
  static constexpr std::array<std::string_view, 4> kEndings{".der", ".crt", ".cer", ".pem"};
  return std::ranges::find(kEndings, path.extension().string()) != kEndings.end();
}

Checked<std::vector<std::string>> files_in(const std::string& directory) {
  std::error_code error;
  std::vector<std::string> files;
  fs::directory_iterator entry(directory, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    std::error_code ignored;
    // A FIFO of the right name would block for ever.
    if (!looks_like_certificate(entry->path()) || !entry->is_regular_file(ignored)) continue;
    if (files.size() == kMaxFilesPerDirectory) {
      return Refusal{Errc::too_large, verify::printable(directory, 200),
                     "at most " + std::to_string(kMaxFilesPerDirectory) + " certificate files", "more"};
    }
    files.push_back(entry->path().string());
  }
  if (error) return io_failed(directory, "a directory that can be read", error.message());
  std::ranges::sort(files);
  return files;
}

Checked<void> load_file(const std::string& path, LoadedCertificates& into) {
  const std::vector<std::uint8_t> octets = TRY(read_file(path));
  const std::vector<verify::Certificate> parsed = TRY(verify::Certificate::parse(octets, path));
  into.certificates.insert(into.certificates.end(), parsed.begin(), parsed.end());
  return {};
}

}  // namespace

Checked<std::vector<std::uint8_t>> read_file(const std::string& path) {
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "rbe"));
  if (!file) return io_failed(path, "a file that can be read", std::strerror(errno));
  std::vector<std::uint8_t> octets(kMaxInputBytes + 1);
  octets.resize(std::fread(octets.data(), 1, octets.size(), file.get()));
  if (std::ferror(file.get()) != 0) return io_failed(path, "a file that can be read", std::strerror(errno));
  if (octets.size() > kMaxInputBytes) {
    return Refusal{Errc::too_large, verify::printable(path, 200),
                   "at most " + std::to_string(kMaxInputBytes) + " octets", "more"};
  }
  return octets;
}

Checked<LoadedCertificates> load_certificates(const std::vector<std::string>& paths) {
  LoadedCertificates loaded;
  for (const std::string& path : paths) {
    std::error_code ignored;
    if (!fs::is_directory(path, ignored)) {
      TRY(load_file(path, loaded));
      continue;
    }
    const std::vector<std::string> files = TRY(files_in(path));
    for (const std::string& file : files) {
      const Checked<void> done = load_file(file, loaded);
      if (!done) loaded.warnings.push_back("skipped " + done.error().text());
    }
  }
  return loaded;
}

}  // namespace attestbed::tools
