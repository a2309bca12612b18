// SPDX-License-Identifier: Apache-2.0
#include "guest/firmware.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "core/posix/clock.h"

namespace attestbed::guest {
namespace {

using Kind = FirmwareAddress::Kind;

struct Address {
  const char* text;
  Kind kind;
  const char* path;
  const char* canonical;
};

TEST(FirmwareAddress, NamesASocketADeviceOrATree) {
  const Address kAddresses[] = {
      {"unix:/run/firmware.sock", Kind::unix_socket, "/run/firmware.sock", "unix:/run/firmware.sock"},
      {"sev-guest", Kind::sev_guest, "/dev/sev-guest", "sev-guest:/dev/sev-guest"},
      {"sev-guest:/dev/other", Kind::sev_guest, "/dev/other", "sev-guest:/dev/other"},
      {"sev-guest:a:b", Kind::sev_guest, "a:b", "sev-guest:a:b"},
      {"tsm", Kind::tsm, "/sys/kernel/config/tsm/report", "tsm:/sys/kernel/config/tsm/report"},
      {"tsm:/tree", Kind::tsm, "/tree", "tsm:/tree"},
      {"auto", Kind::automatic, "", "auto"},
  };
  for (const Address& address : kAddresses) {
    const auto parsed = parse_firmware(address.text);
    ASSERT_TRUE(parsed) << address.text;
    EXPECT_EQ(parsed->kind, address.kind) << address.text;
    EXPECT_EQ(parsed->path, address.path) << address.text;
    EXPECT_EQ(parsed->text(), address.canonical);
    EXPECT_EQ(parsed->simulated(), address.kind == Kind::unix_socket) << address.text;
    EXPECT_FALSE(parsed->certs);
  }
  for (const char* text : {"", "unix:", "unix", "sev-guest:", "sev-guests", "sev-guests:/d", "tsm:", "tsms",
                           "auto:", "auto:/dev/sev-guest", ":", ":/d", "AUTO", "/run/firmware.sock", "tcp:x"}) {
    EXPECT_FALSE(parse_firmware(text)) << text;
  }
}

TEST(FirmwareAddress, AutomaticIsTheDeviceThenTheTree) {
  const FirmwareAddress automatic{Kind::automatic, {}};
  const auto device = chosen(automatic, "/dev/null", "/tmp");
  ASSERT_TRUE(device);
  EXPECT_EQ(device->text(), "sev-guest:/dev/null");
  const auto tree = chosen(automatic, "/nonexistent/sev-guest", "/tmp");
  ASSERT_TRUE(tree);
  EXPECT_EQ(tree->text(), "tsm:/tmp");
  const auto neither = chosen(automatic, "/nonexistent/sev-guest", "/dev/null");
  ASSERT_FALSE(neither);
  EXPECT_EQ(neither.error().code, Errc::firmware_unreachable);
  const auto named = chosen({Kind::tsm, "/nonexistent"}, "/dev/null", "/tmp");
  ASSERT_TRUE(named);
  EXPECT_EQ(named->text(), "tsm:/nonexistent") << "what was named is not second-guessed";
}

TEST(Firmware, ATreeThatIsAbsentIsNamed) {
  posix::SteadyClock clock;
  const auto pages = std::make_unique<FirmwarePages>();
  Firmware firmware(clock, *pages);
  const Status opened = firmware.open({Kind::tsm, "/nonexistent"}, 0, kNever);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::firmware_unreachable);
  EXPECT_EQ(opened.error().found, static_cast<std::uint64_t>(ENOENT));
}

}  // namespace
}  // namespace attestbed::guest
