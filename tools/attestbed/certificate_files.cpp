// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/certificate_files.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "tools/attestbed/certificate_table.h"

namespace attestbed::tools {
namespace {

namespace fs = std::filesystem;
using verify::Checked;
using verify::Refusal;

// Where `snp-sim certs` puts the other line of its authority, whose files have the same names.
constexpr char kVlekDirectory[] = "vlek";

Refusal io_failed(const std::string& path, const char* expected, const std::string& found) {
  return {Errc::io_failed, verify::printable(path, 200), expected, found};
}

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

Checked<void> append(const Checked<std::vector<verify::Certificate>>& parsed, LoadedCertificates& into) {
  if (!parsed) return parsed.error();
  into.certificates.insert(into.certificates.end(), parsed->begin(), parsed->end());
  return {};
}

Checked<void> load_table(Bytes octets, const std::string& path, LoadedCertificates& into) {
  const snp::CertificateTable table = TRY(parse_certificate_table(octets, path));
  for (const snp::CertificateEntry& entry : table.entries()) TRY(append(certificates_of(entry, path), into));
  return {};
}

Checked<void> load_file(const std::string& path, LoadedCertificates& into) {
  const std::vector<std::uint8_t> octets = TRY(read_file(path));
  if (looks_like_certificate_table(octets)) return load_table(octets, path, into);
  return append(verify::Certificate::parse(octets, path), into);
}

Checked<void> load_directory(const std::string& path, LoadedCertificates& into) {
  const std::vector<std::string> files = TRY(files_in(path));
  for (const std::string& file : files) {
    const Checked<void> done = load_file(file, into);
    if (!done) into.warnings.push_back("skipped " + done.error().text());
  }
  return {};
}

}  // namespace

Checked<LoadedCertificates> load_certificates(const std::vector<std::string>& paths) {
  LoadedCertificates loaded;
  for (const std::string& path : paths) {
    std::error_code ignored;
    if (!fs::is_directory(path, ignored)) {
      TRY(load_file(path, loaded));
      continue;
    }
    TRY(load_directory(path, loaded));
    const fs::path vlek = fs::path(path) / kVlekDirectory;
    if (fs::is_directory(vlek, ignored)) TRY(load_directory(vlek.string(), loaded));
  }
  return loaded;
}

}  // namespace attestbed::tools
