// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/vm_image.h"

#include <filesystem>

#include "core/posix/describe.h"
#include "guest/image/image.h"
#include "tools/attestbed/image_defaults.h"
#include "tools/launch/siblings.h"

namespace attestbed::tools {
namespace {

namespace fs = std::filesystem;
using launch::Failure;
using launch::Outcome;

constexpr const char* kKernelFile = "bzImage";
constexpr const char* kInitramfsFile = "initramfs.zst";

Outcome<void> write(const std::string& path, const std::string& octets) {
  const Status written = posix::write_file_private(path, bytes_of(octets));
  if (!written) return Failure{.reason = path + ": " + posix::describe(written.error())};
  return {};
}

Outcome<guest::AddedFile> added_file(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
    return Failure{.reason = "--add " + text + ": expected HOST=GUEST, two paths"};
  }
  return guest::AddedFile{text.substr(0, equals), text.substr(equals + 1)};
}

Outcome<std::size_t> size_of(const std::string& path) {
  std::error_code failed;
  const auto size = fs::file_size(path, failed);
  if (failed) return Failure{.reason = path + ": " + failed.message() + "; attestbed image --out makes it"};
  return static_cast<std::size_t>(size);
}

}  // namespace

Outcome<BootFiles> ready_image(const std::string& directory) {
  BootFiles files{
      .kernel = directory + "/" + kKernelFile, .initramfs = directory + "/" + kInitramfsFile, .release = {}};
  files.kernel_octets = TRY(size_of(files.kernel));
  files.initramfs_octets = TRY(size_of(files.initramfs));
  return files;
}

Outcome<BootFiles> make_image(const std::string& kernel, const std::vector<std::string>& added,
                              const std::string& folder) {
  guest::ImageRequest request{.kernel = kernel, .guest = {}, .device = {}, .config = {}, .added = {}};
  if (kernel.empty()) request.kernel = default_kernel();
  request.guest = TRY(launch::sibling_program("attest-guest"));
  request.device = TRY(launch::sibling_program("snp-sim-device"));
  for (const std::string& text : added) {
    guest::AddedFile file = TRY(added_file(text));
    request.added.push_back(std::move(file));
  }
  const auto image = guest::build_image(request);
  if (!image) return Failure{.reason = image.error().text + "; " + image.error().remedy};
  BootFiles files{.kernel = folder + "/" + kKernelFile,
                  .initramfs = folder + "/" + kInitramfsFile,
                  .release = image->release,
                  .kernel_octets = image->kernel.size(),
                  .initramfs_octets = image->initramfs.size()};
  TRY(write(files.kernel, image->kernel));
  TRY(write(files.initramfs, image->initramfs));
  return files;
}

}  // namespace attestbed::tools
