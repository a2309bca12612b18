// SPDX-License-Identifier: Apache-2.0
#include "guest/image/image.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "core/crypto/sha2.h"
#include "core/posix/describe.h"
#include "guest/image/compression.h"
#include "guest/image/cpio.h"
#include "guest/image/module_plan.h"
#include "guest/init/device_process.h"
#include "guest/init/sequence.h"

namespace attestbed::guest {
namespace {

constexpr std::size_t kMaxProgramBytes = std::size_t{64} << 20;
constexpr std::size_t kMaxAddedBytes = std::size_t{256} << 20;

Outcome<std::string> sha256_hex(Bytes octets) {
  const Result<crypto::Sha256Digest> digest = crypto::sha256({octets});
  if (!digest) return failure_at("SHA-256", digest.error());
  return posix::to_hex(*digest);
}

/// check_kernel demands the header that a boot loader looks for (Linux, Documentation/arch/x86/boot.rst: HdrS at 0x202,
/// protocol 2.00 or later).
Outcome<void> check_kernel(const std::string& path, std::string_view octets) {
  constexpr std::string_view kMagic = "HdrS";
  constexpr std::size_t kMagicAt = 0x202;
  const std::string_view found = octets.substr(std::min(kMagicAt, octets.size()), kMagic.size());
  if (found == kMagic) return {};
  const std::string what =
      found.empty() ? "a file of " + std::to_string(octets.size()) + " octets" : "'" + printable(found) + "'";
  return Failure{{Errc::bad_config, "kernel"},
                 path + ": is no Linux kernel for x86: expected 'HdrS' at 0x202, found " + what,
                 "name a kernel's bzImage (vmlinuz), or the tree of an unpacked kernel package"};
}

/// Building is one image on its way.
class Building {
 public:
  explicit Building(const ImageRequest& request) : request_(request) {}

  Outcome<Image> run() {
    const KernelTree tree = TRY(KernelTree::open(request_.kernel));
    image_.release = tree.release();
    image_.kernel = TRY(read("kernel", tree.kernel(), kMaxKernelBytes));
    TRY(check_kernel(tree.kernel(), image_.kernel));
    TRY(add_program("/init", request_.guest));
    if (!request_.device.empty()) TRY(add_program(kSimulatedDevice, request_.device));
    TRY(add_modules(tree));
    TRY(add_config());
    for (const AddedFile& file : request_.added) TRY(add_other(file));
    for (const char* const folder : {"/proc", "/sys", "/dev", "/run", "/tmp"}) TRY(archive_.add_folder(folder));
    TRY(archive_.add_console());
    return finish();
  }

 private:
  Outcome<std::string> read(const std::string& role, const std::string& path, std::size_t max) {
    Result<std::string> octets = posix::read_file(path, max);
    if (!octets) return failure_at(path, octets.error());
    TRY(note(role, path, *octets));
    return *std::move(octets);
  }

  Outcome<void> note(const std::string& role, const std::string& path, const std::string& octets) {
    std::string digest = TRY(sha256_hex(bytes_of(octets)));
    image_.inputs.push_back({role, path, octets.size(), std::move(digest)});
    return {};
  }

  Outcome<void> add_program(const std::string& where, const std::string& path) {
    std::string octets = TRY(read(where, path, kMaxProgramBytes));
    const Result<bool> dynamic = asks_for_loader(bytes_of(octets));
    if (!dynamic) return failure_at(path, dynamic.error(), "name a program for x86-64");
    if (*dynamic) {
      return Failure{{Errc::bad_config, "PT_INTERP"},
                     path + ": is not linked statically, so it does not start in an image that has no libraries",
                     "take the release build's (./run build): sanitizers cannot be linked statically"};
    }
    return archive_.add_file(where, CpioArchive::Mode::program, std::move(octets));
  }

  Outcome<void> add_modules(const KernelTree& tree) {
    if (tree.release().empty()) return {};  // a kernel alone
    std::vector<When> wanted{When::snp, When::tsm, When::virtio_serial, When::vsock, When::vsock_loopback};
    if (!request_.device.empty()) wanted.push_back(When::simulated);
    ModulePlan plan = TRY(plan_modules(tree, wanted));
    if (request_.device.empty() && plan.unserved.contains(When::snp)) {
      return Failure{{Errc::bad_config, "kernel"},
                     request_.kernel + ": kernel " + tree.release() +
                         " has no driver sev-guest, and without simulation "
                         "nothing else in this image signs reports",
                     "take another kernel: ./run kernel linux-image-amd64 fetches one into build/kernel-snp"};
    }
    for (auto& [name, module] : plan.modules) {
      const std::string where = kModuleFolder + name + ".ko";
      TRY(note(where, module.path, module.file));
      TRY(archive_.add_file(where, CpioArchive::Mode::data, std::move(module.octets)));
    }
    image_.lacking = std::move(plan.lacking);
    return archive_.add_file(kModuleList, CpioArchive::Mode::data, module_list_text(plan.list));
  }

  Outcome<void> add_config() {
    if (request_.config.empty()) return {};
    std::string text = TRY(read(kGuestConf, request_.config, kMaxWordsBytes));
    // What may still come on the command line is taken as said.
    const ParsedWords parsed = parse_words(text, "attest.secret_auth=none attest.next=exec:/init");
    if (parsed.failure) return *parsed.failure;
    return archive_.add_file(kGuestConf, CpioArchive::Mode::data, std::move(text));
  }

  Outcome<void> add_other(const AddedFile& file) {
    std::string octets = TRY(read(file.guest, file.host, kMaxAddedBytes));
    struct stat about {};
    if (::stat(file.host.c_str(), &about) != 0) {
      return failure_at(file.host, {Errc::io_failed, "stat", static_cast<std::uint64_t>(errno)});
    }
    // Its mode, and not whether we may run it here: the image is the same whoever builds it and where.
    const bool program = (about.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) != 0;
    return archive_.add_file(file.guest, program ? CpioArchive::Mode::program : CpioArchive::Mode::data,
                             std::move(octets));
  }

  Outcome<Image> finish() {
    const std::string archive = archive_.octets();
    image_.unpacked = archive.size();
    Result<std::string> packed = zstd_compress(bytes_of(archive));
    if (!packed) return failure_at("initramfs", packed.error());
    image_.initramfs = *std::move(packed);
    image_.kernel_sha256 = TRY(sha256_hex(bytes_of(image_.kernel)));
    image_.initramfs_sha256 = TRY(sha256_hex(bytes_of(image_.initramfs)));
    return std::move(image_);
  }

  const ImageRequest& request_;
  CpioArchive archive_;
  Image image_;
};

}  // namespace

Outcome<Image> build_image(const ImageRequest& request) {
  return Building(request).run();
}

}  // namespace attestbed::guest
