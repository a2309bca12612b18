// SPDX-License-Identifier: Apache-2.0
#include "tools/vm/qemu_program.h"

#include <gtest/gtest.h>

#include "tools/vm/fake_host.h"

namespace attestbed::vm {
namespace {

TEST(QemuProgram, TheMachinesOwnBuildComesBeforeTheDistributions) {
  FakeHost host;
  EXPECT_EQ(find_qemu("", host.root()), kFakeQemu);
  host.put_program("/usr/local/bin/qemu-system-x86_64");
  EXPECT_EQ(find_qemu("", host.root()), "/usr/local/bin/qemu-system-x86_64");
  EXPECT_EQ(find_qemu(kFakeQemu, host.root()), kFakeQemu);
}

TEST(QemuProgram, WhatIsNoProgramIsNone) {
  FakeHost host;
  host.take(kFakeQemu);
  EXPECT_FALSE(find_qemu("", host.root()));
  host.put(kFakeQemu, "a file that nobody may execute");
  EXPECT_FALSE(find_qemu("", host.root()));
  EXPECT_FALSE(find_qemu("/usr", host.root()));
  EXPECT_FALSE(find_qemu("/no/such/qemu", host.root()));
}

// QEMU's manual: reconnect-ms since 9.2; reconnect deprecated then, and removed in 10.2.
TEST(QemuProgram, EachVersionHasItsSpellingOfReconnect) {
  for (const Version& old : {Version{7, 2}, Version{9, 1}}) EXPECT_EQ(reconnect_of(old), Reconnect::seconds);
  for (const Version& recent : {Version{9, 2}, Version{10, 0}, Version{10, 2}}) {
    EXPECT_EQ(reconnect_of(recent), Reconnect::milliseconds);
  }
}

}  // namespace
}  // namespace attestbed::vm
