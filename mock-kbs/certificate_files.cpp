// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/certificate_files.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "core/posix/describe.h"
#include "mock-kbs/refuse.h"

namespace attestbed::kbs {
namespace {

namespace fs = std::filesystem;

bool has_certificate_name(const fs::path& path) {
  const std::string extension = path.extension().string();
  return extension == ".pem" || extension == ".crt" || extension == ".cer" || extension == ".der";
}

// PEM of another kind: a private key or a revocation list. DER has no such label and must be a certificate.
bool is_other_pem(std::string_view text) {
  return text.find("-----BEGIN ") != std::string_view::npos &&
         text.find("-----BEGIN CERTIFICATE-----") == std::string_view::npos;
}

enum class Beside { nothing, keys };

Checked<std::vector<verify::Certificate>> load_file(const std::string& path, Beside beside) {
  const Result<std::string> text = posix::read_file(path, verify::kMaxPemBytes);
  if (!text) return Refusal{Errc::bad_config, path, "a readable certificate file", posix::describe(text.error())};
  if (beside == Beside::keys && is_other_pem(*text)) return std::vector<verify::Certificate>();
  Checked<std::vector<verify::Certificate>> certificates = verify::Certificate::parse(bytes_of(*text), path);
  if (certificates) return certificates;
  return Refusal{Errc::bad_config, path, "X.509 certificates in PEM or DER", certificates.error().text()};
}

}  // namespace

Checked<std::vector<verify::Certificate>> load_certificates(const std::string& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return load_file(path, Beside::nothing);
  std::vector<std::string> files;
  for (fs::directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
    if (has_certificate_name(at->path()) && at->is_regular_file(error)) files.push_back(at->path().string());
    if (files.size() > kMaxFilesPerFolder) {
      return Refusal{Errc::bad_config, path, "at most " + std::to_string(kMaxFilesPerFolder) + " certificate files",
                     "more"};
    }
  }
  if (error) return Refusal{Errc::bad_config, path, "a readable folder", error.message()};
  // The order of a folder is the file system's; what is loaded must not hang on it.
  std::ranges::sort(files);
  std::vector<verify::Certificate> all;
  for (const std::string& file : files) {
    for (const verify::Certificate& certificate : TRY(load_file(file, Beside::keys))) {
      if (std::ranges::find(all, certificate) == all.end()) all.push_back(certificate);
    }
  }
  return all;
}

}  // namespace attestbed::kbs
