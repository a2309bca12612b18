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

Outcome<void> write(const std::string& path, const std::string& octets) {
  const Status written = posix::write_file_private(path, bytes_of(octets));
  if (!written) return Failure{.reason = path + ": " + posix::describe(written.error())};
  return {};
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
      .kernel = directory + "/" + kImageKernel, .initramfs = directory + "/" + kImageInitramfs, .release = {}};
  files.kernel_octets = TRY(size_of(files.kernel));
  files.initramfs_octets = TRY(size_of(files.initramfs));
  return files;
}

Outcome<BootFiles> make_image(const std::string& kernel, const std::vector<std::string>& added,
                              const std::string& folder) {
  guest::ImageRequest request{.kernel = kernel, .guest = {}, .device = {}, .config = {}, .added = {}};
  if (kernel.empty()) {
    guest::Outcome<std::string> usual = default_kernel();
    if (!usual) return Failure{.reason = usual.error().text + "; " + usual.error().remedy};
    request.kernel = *std::move(usual);
  }
  request.guest = TRY(launch::sibling_program("attest-guest"));
  request.device = TRY(launch::sibling_program("snp-sim-device"));
  for (const std::string& text : added) {
    const std::optional<guest::AddedFile> file = parse_added(text);
    if (!file) return Failure{.reason = "--add " + text + ": expected HOST=GUEST, two paths"};
    request.added.push_back(*file);
  }
  const auto image = guest::build_image(request);
  if (!image) return Failure{.reason = image.error().text + "; " + image.error().remedy};
  BootFiles files{.kernel = folder + "/" + kImageKernel,
                  .initramfs = folder + "/" + kImageInitramfs,
                  .release = image->release,
                  .kernel_octets = image->kernel.size(),
                  .initramfs_octets = image->initramfs.size()};
  TRY(write(files.kernel, image->kernel));
  TRY(write(files.initramfs, image->initramfs));
  return files;
}

}  // namespace attestbed::tools
