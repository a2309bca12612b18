// SPDX-License-Identifier: Apache-2.0
#include "guest/init/module_list.h"

#include <gtest/gtest.h>

#include "core/posix/vsock.h"
#include "guest/init/sequence.h"

namespace attestbed::guest {
namespace {

TEST(ModuleList, LinesAreReadInOrderAndWrittenTheSame) {
  const std::string text =
      "snp tsm\nsnp sev-guest\nvirtio-serial virtio\nvsock virtio\nvsock-loopback vsock\nsimulated cuse\n";
  const auto modules = parse_module_list(text);
  ASSERT_TRUE(modules) << modules.error().text;
  ASSERT_EQ(modules->size(), 6U);
  EXPECT_EQ(modules->front(), (ListedModule{When::snp, "tsm"}));
  EXPECT_EQ(modules->at(3), (ListedModule{When::vsock, "virtio"}));
  EXPECT_EQ(module_list_text(*modules), text);
}

TEST(ModuleList, OtherLinesAreRefusedWithTheirNumber) {
  for (const char* const line : {"", "virtio", "never virtio", "snp ", "snp ../virtio", "snp a b", "snp virtio.ko",
                                 " snp virtio", "snp\tvirtio"}) {
    const auto modules = parse_module_list("always fuse\n" + std::string(line) + "\nalways cuse\n");
    ASSERT_FALSE(modules) << line;
    EXPECT_EQ(modules.error().error.code, Errc::bad_value);
    EXPECT_NE(modules.error().text.find("line 2"), std::string::npos) << modules.error().text;
  }
}

TEST(ModuleList, IsBounded) {
  std::string text;
  for (std::size_t i = 0; i < kMaxModules; ++i) text += "always m" + std::to_string(i) + "\n";
  EXPECT_TRUE(parse_module_list(text));
  EXPECT_EQ(parse_module_list(text + "always one\n").error().error.code, Errc::too_large);
  EXPECT_EQ(parse_module_list(std::string(kMaxModuleListBytes + 1, '\n')).error().error.code, Errc::too_large);
}

TEST(ModuleList, ANeedGetsItsModulesOnceAndInOrder) {
  const auto modules = parse_module_list(
      "virtio-serial virtio\nvirtio-serial virtio_console\nvsock virtio\nvsock vsock\nsimulated cuse\n");
  ASSERT_TRUE(modules);
  const std::vector<std::string> both{"virtio", "virtio_console", "vsock"};
  EXPECT_EQ(modules_for(*modules, {When::vsock, When::virtio_serial}), both);
  EXPECT_EQ(modules_for(*modules, {When::simulated}), std::vector<std::string>{"cuse"});
  EXPECT_TRUE(modules_for(*modules, {When::always, When::snp}).empty());
}

std::vector<When> needs(const char* words, bool snp = false) {
  return needed_for(parse_words("", std::string("attest.secret_auth=none ") + words).words, snp);
}

TEST(ModuleList, WhatIsNeededFollowsFromTheWords) {
  using enum When;
  EXPECT_EQ(needs(""), (std::vector{always}));
  EXPECT_EQ(needs("", true), (std::vector{always, snp}));
  EXPECT_EQ(needs("attest.transport=virtio-serial"), (std::vector{always, virtio_serial}));
  EXPECT_EQ(needs("attest.secret=port:out"), (std::vector{always, virtio_serial}));
  EXPECT_EQ(needs("attest.firmware=simulated"), (std::vector{always, virtio_serial, simulated}));
  EXPECT_EQ(needs("attest.firmware=simulated-inside"), (std::vector{always, simulated}));
  EXPECT_EQ(needs("attest.transport=vsock"), (std::vector{always, vsock}));
  EXPECT_EQ(needs("attest.transport=vsock:1:1995"), (std::vector{always, vsock_loopback}));
}

}  // namespace
}  // namespace attestbed::guest
