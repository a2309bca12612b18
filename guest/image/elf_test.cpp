// SPDX-License-Identifier: Apache-2.0
#include "guest/image/elf.h"

#include <gtest/gtest.h>

#include "core/posix/describe.h"
#include "guest/image/compression.h"
#include "guest/image/image_fixture.h"

namespace attestbed::guest {
namespace {

TEST(Elf, AModuleSaysItsNameAndWhatItNeeds) {
  const std::string file = elf_module(modinfo("virtio_pci", "virtio_pci_modern_dev,virtio,virtio_ring"));
  const Result<ModuleInfo> info = read_module_info(bytes_of(file));
  ASSERT_TRUE(info) << posix::describe(info.error());
  EXPECT_EQ(info->name, "virtio_pci");
  EXPECT_EQ(info->depends, (std::vector<std::string>{"virtio_pci_modern_dev", "virtio", "virtio_ring"}));
  const std::string alone = elf_module(modinfo("virtio", ""));
  EXPECT_TRUE(read_module_info(bytes_of(alone))->depends.empty());
}

TEST(Elf, WhatIsNoModuleIsRefused) {
  const std::string nul(1, '\0');
  std::string many = "a";
  for (int i = 0; i < 64; ++i) many += ",a";
  for (const std::string& text : {std::string(), "name=virtio" + nul, "depends=" + nul, modinfo("../virtio", ""),
                                  modinfo("virtio", "a,,b"), modinfo("virtio", "a b"), modinfo("virtio", many)}) {
    const Result<ModuleInfo> info = read_module_info(bytes_of(elf_module(text)));
    ASSERT_FALSE(info) << text;
    EXPECT_EQ(info.error().code, Errc::bad_value);
  }
}

TEST(Elf, EveryCutAndEveryTableOutsideTheFileIsRefused) {
  const std::string whole = elf_module(modinfo("virtio", "virtio_ring"));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(read_module_info(bytes_of(std::string_view(whole).substr(0, size)))) << size;
  }
  for (const std::uint64_t offset : {std::uint64_t{whole.size()}, ~std::uint64_t{0}, std::uint64_t{1} << 63}) {
    std::string moved = whole;
    std::memcpy(moved.data() + offsetof(Elf64_Ehdr, e_shoff), &offset, sizeof offset);
    EXPECT_EQ(read_module_info(bytes_of(moved)).error().code, Errc::truncated);
  }
}

TEST(Elf, OtherMachinesAndOtherFilesAreRefused) {
  struct Change {
    std::size_t offset;
    char value;
  };
  for (const Change& each :
       {Change{0, 'x'}, Change{EI_CLASS, ELFCLASS32}, Change{EI_DATA, ELFDATA2MSB},
        Change{offsetof(Elf64_Ehdr, e_machine), EM_386}, Change{offsetof(Elf64_Ehdr, e_shentsize), 63}}) {
    std::string file = elf_module(modinfo("virtio", ""));
    file[each.offset] = each.value;
    EXPECT_EQ(read_module_info(bytes_of(file)).error().code, Errc::bad_value) << each.offset;
  }
}

TEST(Elf, AProgramThatNeedsALoaderIsKnown) {
  EXPECT_FALSE(*asks_for_loader(bytes_of(elf_program(PT_LOAD))));
  EXPECT_TRUE(*asks_for_loader(bytes_of(elf_program(PT_INTERP))));
  EXPECT_FALSE(asks_for_loader(bytes_of("#!/bin/sh\n")));
  // This test itself is linked dynamically.
  const Result<std::string> self = posix::read_file("/proc/self/exe", std::size_t{256} << 20);
  ASSERT_TRUE(self);
  EXPECT_TRUE(*asks_for_loader(bytes_of(*self)));
}

// printf 'hello, module\n' | xz -9 --check=crc32
constexpr std::uint8_t kXz[] = {0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x01, 0x69, 0x22, 0xde, 0x36, 0x02, 0x00,
                                0x21, 0x01, 0x1c, 0x00, 0x00, 0x00, 0x10, 0xcf, 0x58, 0xcc, 0x01, 0x00, 0x0d, 0x68,
                                0x65, 0x6c, 0x6c, 0x6f, 0x2c, 0x20, 0x6d, 0x6f, 0x64, 0x75, 0x6c, 0x65, 0x0a, 0x00,
                                0x00, 0x00, 0xce, 0xbd, 0x28, 0x2d, 0x00, 0x01, 0x22, 0x0e, 0x0c, 0xde, 0x8c, 0x60,
                                0x90, 0x42, 0x99, 0x0d, 0x01, 0x00, 0x00, 0x00, 0x00, 0x01, 0x59, 0x5a};

TEST(Compression, XzIsUnpackedToTheLastOctetAndNoFurther) {
  EXPECT_EQ(*xz_decompress(kXz, 14), "hello, module\n");
  EXPECT_EQ(xz_decompress(kXz, 13).error().code, Errc::too_large);
  for (std::size_t size = 0; size < sizeof kXz; ++size)
    EXPECT_FALSE(xz_decompress(Bytes(kXz).first(size), 100)) << size;
  std::string longer(text_of(Bytes(kXz)));
  longer += "more";
  EXPECT_EQ(xz_decompress(bytes_of(longer), 100).error().code, Errc::trailing_bytes);
  std::string damaged(text_of(Bytes(kXz)));
  damaged[damaged.size() / 2] ^= 1;
  EXPECT_EQ(xz_decompress(bytes_of(damaged), 100).error().code, Errc::bad_value);
}

// printf 'hello, module\n' >hello; zstd hello
constexpr std::uint8_t kZst[] = {0x28, 0xb5, 0x2f, 0xfd, 0x24, 0x0e, 0x71, 0x00, 0x00, 0x68, 0x65, 0x6c, 0x6c, 0x6f,
                                 0x2c, 0x20, 0x6d, 0x6f, 0x64, 0x75, 0x6c, 0x65, 0x0a, 0x61, 0x9b, 0xc7, 0xf4};
// The same from a pipe: a frame that does not say how much comes out of it.
constexpr std::uint8_t kZstOfPipe[] = {0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x58, 0x71, 0x00, 0x00,
                                       0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x2c, 0x20, 0x6d, 0x6f,
                                       0x64, 0x75, 0x6c, 0x65, 0x0a, 0x61, 0x9b, 0xc7, 0xf4};

TEST(Compression, ZstdIsUnpackedToTheLastOctetAndNoFurther) {
  EXPECT_EQ(*zstd_decompress(kZst, 14), "hello, module\n");
  EXPECT_EQ(zstd_decompress(kZst, 13).error().code, Errc::too_large);
  EXPECT_EQ(zstd_decompress(kZstOfPipe, 100).error().code, Errc::bad_value);
  for (std::size_t size = 0; size < sizeof kZst; ++size)
    EXPECT_FALSE(zstd_decompress(Bytes(kZst).first(size), 100)) << size;
  std::string longer(text_of(Bytes(kZst)));
  longer += "more";
  EXPECT_EQ(zstd_decompress(bytes_of(longer), 100).error().code, Errc::trailing_bytes);
  std::string damaged(text_of(Bytes(kZst)));
  damaged[damaged.size() / 2] ^= 1;
  EXPECT_EQ(zstd_decompress(bytes_of(damaged), 100).error().code, Errc::bad_value);
}

TEST(Compression, AZstdFrameHasAWindowThatTheKernelTakes) {
  const std::string octets(std::size_t{24} << 20, 'x');
  const Result<std::string> frame = zstd_compress(bytes_of(octets));
  ASSERT_TRUE(frame);
  // RFC 8878, 3.1.1: magic number; descriptor, whose bit 5 says that there is no window but the contents.
  EXPECT_EQ(frame->substr(0, 4), "\x28\xb5\x2f\xfd");
  ASSERT_EQ(static_cast<std::uint8_t>(frame->at(4)) & 0x20, 0);
  const unsigned exponent = static_cast<std::uint8_t>(frame->at(5)) >> 3, mantissa = frame->at(5) & 7;
  EXPECT_LE((std::uint64_t{1} << (10 + exponent)) + ((std::uint64_t{1} << (10 + exponent)) / 8) * mantissa,
            std::uint64_t{8} << 20);
}

}  // namespace
}  // namespace attestbed::guest
