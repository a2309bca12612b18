// SPDX-License-Identifier: Apache-2.0
#include "guest/image/image.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <zstd.h>

#include "guest/image/image_fixture.h"
#include "guest/image/module_plan.h"

namespace attestbed::guest {
namespace {

constexpr char kLoad[] = "virtio-serial ";

class ImageTest : public testing::Test {
 protected:
  ImageTest() {
    request_.kernel = scratch_.kernel_tree({{"virtio_ring", ""},
                                            {"virtio", "virtio_ring"},
                                            {"virtio_pci", "virtio,virtio_ring"},
                                            {"virtio_console", "virtio_ring,virtio"},
                                            {"fuse", ""},
                                            {"cuse", "fuse"},
                                            {"sev-guest", "tsm"},
                                            {"tsm", ""}},
                                           "kernel/net/vmw_vsock/vmw_vsock_virtio_transport.ko\n"
                                           "kernel/net/vmw_vsock/vsock_loopback.ko\n");
    request_.guest = scratch_.write("attest-guest", elf_program(PT_LOAD));
    request_.device = scratch_.write("snp-sim-device", elf_program(PT_LOAD) + "device");
  }

  std::string unpacked(const Image& image) {
    std::string archive(image.unpacked, '\0');
    const std::size_t size =
        ZSTD_decompress(archive.data(), archive.size(), image.initramfs.data(), image.initramfs.size());
    EXPECT_EQ(size, image.unpacked);
    return archive;
  }
  void expect_refused(Errc code, const std::string& part) {
    const Outcome<Image> image = build_image(request_);
    ASSERT_FALSE(image) << part;
    EXPECT_EQ(image.error().error.code, code) << image.error().text;
    EXPECT_NE(image.error().text.find(part), std::string::npos) << image.error().text;
    EXPECT_FALSE(image.error().remedy.empty());
  }

  Scratch scratch_;
  ImageRequest request_;
};

TEST_F(ImageTest, TheSameFilesGiveTheSameOctetsWhereverTheyLie) {
  const Outcome<Image> image = build_image(request_);
  ASSERT_TRUE(image) << image.error().text;
  Scratch elsewhere;
  std::filesystem::copy(scratch_.root(), elsewhere.root(), std::filesystem::copy_options::recursive);
  ImageRequest request = request_;
  request.kernel = elsewhere.root() + "/tree";
  request.guest = elsewhere.root() + "/attest-guest";
  const Outcome<Image> again = build_image(request);
  ASSERT_TRUE(again) << again.error().text;
  EXPECT_EQ(image->initramfs, again->initramfs);
  EXPECT_EQ(image->initramfs_sha256, again->initramfs_sha256);
  EXPECT_EQ(image->kernel, boot_kernel());
  // (head -c 514 /dev/zero; printf HdrS) | sha256sum
  EXPECT_EQ(image->kernel_sha256, "c0da3faded2e3862f5cbfa61cc7550b968afb7c0a0fa83bd6525440d67be983d");
}

TEST_F(ImageTest, InitIsTheProgramOctetForOctet) {
  const Outcome<Image> image = build_image(request_);
  ASSERT_TRUE(image) << image.error().text;
  EXPECT_NE(unpacked(*image).find(elf_program(PT_LOAD)), std::string::npos);
  ASSERT_GE(image->inputs.size(), 3U);
  EXPECT_EQ(image->inputs[0].role, "kernel");
  EXPECT_EQ(image->inputs[1].role, "/init");
  EXPECT_EQ(image->inputs[1].octets, elf_program(PT_LOAD).size());
}

TEST_F(ImageTest, ModulesStandAfterWhatTheyNeed) {
  const Outcome<Image> image = build_image(request_);
  ASSERT_TRUE(image) << image.error().text;
  const std::string list =
      "snp tsm\nsnp sev-guest\ntsm tsm\n"
      "virtio-serial virtio_ring\nvirtio-serial virtio\nvirtio-serial virtio_pci\nvirtio-serial virtio_console\n"
      "vsock virtio_ring\nvsock virtio\nvsock virtio_pci\n"
      "simulated fuse\nsimulated cuse\n";
  EXPECT_NE(unpacked(*image).find(list), std::string::npos) << unpacked(*image);
  EXPECT_TRUE(image->lacking.empty());
}

TEST_F(ImageTest, TheCipherOfTheSnpDriverStandsBeforeIt) {
  request_.kernel = scratch_.kernel_tree(
      {{"gcm", ""}, {"ghash-generic", "gf128mul"}, {"gf128mul", ""}, {"virtio_pci", ""}, {"virtio_console", ""}},
      "kernel/crypto/ctr.ko\n"
      "kernel/net/vmw_vsock/vmw_vsock_virtio_transport.ko\n"
      "kernel/net/vmw_vsock/vsock_loopback.ko\n");
  const Outcome<Image> image = build_image(request_);
  ASSERT_TRUE(image) << image.error().text;
  const std::string list = "snp gcm\nsnp gf128mul\nsnp ghash-generic\nsnp tsm\nsnp sev-guest\n";
  EXPECT_NE(unpacked(*image).find(list), std::string::npos) << unpacked(*image);
}

TEST_F(ImageTest, WithoutSimulationNothingOfItIsThere) {
  request_.device.clear();
  const Outcome<Image> image = build_image(request_);
  ASSERT_TRUE(image) << image.error().text;
  const std::string archive = unpacked(*image);
  EXPECT_EQ(archive.find("cuse"), std::string::npos);
  EXPECT_EQ(archive.find("snp-sim-device"), std::string::npos);
  EXPECT_NE(archive.find(kLoad), std::string::npos);
}

TEST_F(ImageTest, WhatAKernelLacksIsSaidAndNoError) {
  std::filesystem::remove(request_.kernel + "/lib/modules/1.2.3/kernel/drivers/sev-guest.ko");
  const Outcome<Image> image = build_image(request_);
  ASSERT_TRUE(image) << image.error().text;
  EXPECT_EQ(image->lacking, std::vector<std::string>{"snp: this kernel has no module sev-guest"});
}

TEST_F(ImageTest, WithoutSimulationThereMustBeTheDriver) {
  request_.device.clear();
  std::filesystem::remove(request_.kernel + "/lib/modules/1.2.3/kernel/drivers/sev-guest.ko");
  expect_refused(Errc::bad_config, "kernel 1.2.3 has no driver sev-guest");
  scratch_.kernel_tree({}, "kernel/drivers/virt/coco/sev-guest/sev-guest.ko\n");
  EXPECT_TRUE(build_image(request_));
}

TEST_F(ImageTest, CompressedModulesAreUnpackedOrRefusedInWords) {
  const std::string module = elf_module(modinfo("sev-guest", "tsm"));
  const std::string place = "tree/lib/modules/1.2.3/kernel/drivers/sev-guest.ko";
  std::filesystem::remove(scratch_.root() + "/" + place);
  std::string frame(ZSTD_compressBound(module.size()), '\0');
  frame.resize(ZSTD_compress(frame.data(), frame.size(), module.data(), module.size(), 19));
  scratch_.write(place + ".zst", frame);
  const Outcome<Image> image = build_image(request_);
  ASSERT_TRUE(image) << image.error().text;
  EXPECT_NE(unpacked(*image).find(module), std::string::npos);
  scratch_.write(place + ".zst", frame.substr(0, frame.size() - 1));
  expect_refused(Errc::bad_value, "sev-guest.ko.zst");
  scratch_.write(place + ".zst", frame + "x");
  expect_refused(Errc::trailing_bytes, "sev-guest.ko.zst");
  scratch_.write(place + ".zst", module);
  expect_refused(Errc::bad_value, "sev-guest.ko.zst");
  std::filesystem::remove(scratch_.root() + "/" + place + ".zst");
  scratch_.write(place + ".gz", "\x1f\x8b");
  expect_refused(Errc::bad_config, "sev-guest.ko.gz: is compressed with gzip");
}

TEST_F(ImageTest, AKernelAloneHasNoModules) {
  request_.kernel += "/boot/vmlinuz-1.2.3";
  const Outcome<Image> image = build_image(request_);
  ASSERT_TRUE(image) << image.error().text;
  EXPECT_TRUE(image->release.empty());
  EXPECT_EQ(unpacked(*image).find("lib/modules"), std::string::npos);
}

TEST_F(ImageTest, AnAbsentKernelSaysWhichCommandBringsIt) {
  request_.kernel = scratch_.root() + "/absent";
  const Outcome<Image> image = build_image(request_);
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().error.code, Errc::io_failed);
  EXPECT_EQ(image.error().text, scratch_.root() + "/absent: there is no kernel");
  EXPECT_NE(image.error().remedy.find("./run kernel"), std::string::npos);
}

TEST_F(ImageTest, AFileWithoutTheHeaderOfABootLoaderIsNoKernel) {
  const std::string no_kernels[] = {"",
                                    "root:x:0:0",
                                    std::string(0x202, 'x'),
                                    std::string(0x202, '\0') + "Hdr",
                                    "x" + boot_kernel(),
                                    std::string(4096, 'x')};
  for (const std::string& octets : no_kernels) {
    request_.kernel = scratch_.write("passwd", octets);
    expect_refused(Errc::bad_config, "passwd: is no Linux kernel for x86: expected 'HdrS' at 0x202, found ");
  }
  request_.kernel = scratch_.write("kernel", boot_kernel() + "and more");
  EXPECT_TRUE(build_image(request_));
}

TEST_F(ImageTest, TreesThatAreNoKernelPackageAreRefused) {
  scratch_.write("tree/boot/vmlinuz-1.2.4", "another");
  expect_refused(Errc::bad_config, "more than one kernel");
  std::filesystem::remove_all(request_.kernel + "/boot");
  expect_refused(Errc::bad_config, "/boot");
  std::filesystem::create_directories(request_.kernel + "/boot");
  expect_refused(Errc::bad_config, "no vmlinuz-RELEASE");
  scratch_.write("tree/boot/vmlinuz-9", "a kernel");
  expect_refused(Errc::bad_config, "no modules of 9");
}

TEST_F(ImageTest, TwoFilesOfOneModuleAreRefused) {
  scratch_.write("tree/lib/modules/1.2.3/updates/sev_guest.ko", elf_module(modinfo("sev_guest", "")));
  expect_refused(Errc::bad_config,
                 "has two files of the module sev_guest: kernel/drivers/sev-guest.ko and updates/sev_guest.ko");
}

TEST_F(ImageTest, AnAddedFileIsAProgramByItsModeAlone) {
  const std::string tool = scratch_.write("tool", "other people's");
  request_.added = {{tool, "/bin/tool"}};
  const auto mode_of_tool = [this] {
    const Outcome<Image> image = build_image(request_);
    const std::string archive = image ? unpacked(*image) : std::string();
    const std::size_t name = archive.find("bin/tool");
    // newc: the name follows 110 octets of header, whose third field is the mode in hexadecimal.
    return name == std::string::npos ? std::string() : archive.substr(name - 110 + 14, 8);
  };
  ::chmod(tool.c_str(), 0644);
  EXPECT_EQ(mode_of_tool(), "000081a4");
  ::chmod(tool.c_str(), 0610);  // executable for somebody, if not for whoever builds
  EXPECT_EQ(mode_of_tool(), "000081ed");
}

TEST_F(ImageTest, ModulesThatDoNotHangTogetherAreRefused) {
  const std::string drivers = "tree/lib/modules/1.2.3/kernel/drivers/";
  scratch_.write(drivers + "fuse.ko", elf_module(modinfo("fuse", "cuse")));
  expect_refused(Errc::bad_config, "depends on itself");
  scratch_.write(drivers + "fuse.ko", elf_module(modinfo("fuse", "absent")));
  expect_refused(Errc::bad_config, "absent: this kernel has no such module");
  scratch_.write(drivers + "fuse.ko", "no module");
  expect_refused(Errc::truncated, "fuse.ko");
}

TEST_F(ImageTest, AProgramThatNeedsLibrariesIsRefused) {
  request_.guest = scratch_.write("dynamic", elf_program(PT_INTERP));
  expect_refused(Errc::bad_config, "dynamic: is not linked statically");
  request_.guest = scratch_.root() + "/absent";
  expect_refused(Errc::io_failed, "absent");
}

TEST_F(ImageTest, AConfigurationThatTheGuestWouldRefuseIsRefusedHere) {
  request_.config = scratch_.write("guest.conf", "attest.secret=fifo:/run/key\nattest.timeout=9\n");
  EXPECT_TRUE(build_image(request_));
  request_.config = scratch_.write("guest.conf", "attest.timeout=never\n");
  expect_refused(Errc::bad_config, "attest.timeout has no value 'never'");
}

TEST_F(ImageTest, OtherFilesGoWhereTheyAreWantedAndNowhereElse) {
  const std::string tool = scratch_.write("tool", "other people's");
  request_.added = {{tool, "/bin/tool"}};
  const Outcome<Image> image = build_image(request_);
  ASSERT_TRUE(image) << image.error().text;
  EXPECT_NE(unpacked(*image).find("bin/tool"), std::string::npos);
  request_.added = {{tool, "/init"}};
  expect_refused(Errc::bad_config, "is there already");
  request_.added = {{tool, "bin/tool"}};
  expect_refused(Errc::bad_config, "'bin/tool'");
}

}  // namespace
}  // namespace attestbed::guest
