// SPDX-License-Identifier: Apache-2.0
// What PID 1 has to do with processes and files, as an ordinary process in a scratch directory.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "core/posix/clock.h"
#include "guest/init/device_process.h"
#include "guest/init/next_program.h"
#include "guest/init/secret_places.h"
#include "guest/init/virtio_port.h"

namespace attestbed::guest {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

class PlacesTest : public testing::Test {
 protected:
  PlacesTest() {
    char name[] = "/tmp/attestbed-init-XXXXXX";
    root_ = ::mkdtemp(name);
  }
  ~PlacesTest() override { fs::remove_all(root_); }

  std::string write(const std::string& name, const std::string& text, bool program = false) {
    const fs::path path = fs::path(root_) / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
    if (program) fs::permissions(path, fs::perms::owner_all);
    return path.string();
  }
  std::string script(const std::string& text) { return write("device", "#!/bin/sh\n" + text, true); }
  Outcome<void> start(const std::string& program, std::chrono::milliseconds patience = 20s) {
    return device_.start(program, {"--line", "x"}, root_ + "/sev-guest", clock_, clock_.now() + patience);
  }

  std::string root_;
  posix::SteadyClock clock_;
  DeviceProcess device_;
};

TEST_F(PlacesTest, APortIsFoundByItsName) {
  write("ports/vport0p1/name", "attestbed.firmware\n");
  write("ports/vport0p2/name", "attestbed.proxy\n");
  fs::create_directories(root_ + "/ports/vport0p3");
  const Outcome<std::string> device = find_virtio_port(root_ + "/ports", "attestbed.proxy", clock_, clock_.now());
  ASSERT_TRUE(device) << device.error().text;
  EXPECT_EQ(*device, "/dev/vport0p2");
}

TEST_F(PlacesTest, AMissingPortIsNamedBesideThoseThatAreThere) {
  write("ports/vport0p1/name", "other\x1b\n");
  const Outcome<std::string> device = find_virtio_port(root_ + "/ports", "attestbed.proxy", clock_, clock_.now());
  ASSERT_FALSE(device);
  EXPECT_EQ(device.error().text, "no virtio port has the name attestbed.proxy (there are: other?)");
  EXPECT_NE(device.error().remedy.find("virtserialport,chardev=ID,name=attestbed.proxy"), std::string::npos);
  EXPECT_FALSE(find_virtio_port(root_ + "/absent", "x", clock_, clock_.now()));
}

TEST_F(PlacesTest, AMissingSecretPortIsNamedSoonAndNotAfterTheWholeAttempt) {
  write("ports/vport0p1/name", "other\n");
  PortPlace place("secret", clock_, clock_.now() + 3600s, root_ + "/ports");
  const Instant before = clock_.now();
  const Status checked = place.check();
  EXPECT_LT(clock_.now() - before, 30s);
  ASSERT_FALSE(checked);
  ASSERT_TRUE(place.failure());
  EXPECT_EQ(place.failure()->text, "no virtio port has the name secret (there are: other)");
  EXPECT_NE(place.failure()->remedy.find("name=secret"), std::string::npos);
}

TEST_F(PlacesTest, AKeyThatIsTooLongIsRefusedWithTheKernelsLimit) {
  KeyPlace place("attestbed-test");
  const Result<std::string> taken = place.take(bytes_of(std::string(32768, 's')));
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, Errc::too_large);
  EXPECT_EQ(taken.error().expected, 32767U);
}

TEST_F(PlacesTest, TheProbeOfAKeyringLeavesNoKey) {
  if (KeyPlace place("attestbed-test"); !place.check()) GTEST_SKIP() << "no user keyring here: add_key(2) is refused";
  EXPECT_EQ(::syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_USER_KEYRING, "user", "attest-guest: probe", 0), -1);
}

TEST_F(PlacesTest, ADeviceIsReadyWhenItSaysSoAndIsThere) {
  const Outcome<void> started =
      start(script("touch " + root_ + "/sev-guest; echo a banner; echo \"ready $1 $2\"; exec sleep 60\n"));
  ASSERT_TRUE(started) << started.error().text;
  device_.stop();
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

struct BadDevice {
  const char* script;
  const char* text;
};
TEST_F(PlacesTest, ADeviceThatDoesNotComeUpIsFirmwareThatIsNotThere) {
  const BadDevice cases[] = {
      {"exit 3\n", "ended before it was ready (exit 3)"},
      {"kill -9 $$\n", "ended before it was ready (signal 9)"},
      {"echo ready /dev/sev-guest; exit 4\n", "ended before it was ready (exit 4)"},
      {"exec sleep 60\n", "is not ready in time"},
      {"echo ready; exec sleep 60\n", "does not appear"},
      {"exec >&-; exec sleep 60\n", "closed its output before it was ready, and went on"},
      {"trap '' TERM; exec >&-; exec sleep 60\n", "closed its output before it was ready, and went on"},
      {"head -c 2000 /dev/zero; exec sleep 60\n", "no ready line within 1024 octets"},
  };
  for (const BadDevice& each : cases) {
    const bool hangs = std::string_view(each.script).find("sleep") != std::string_view::npos;
    const Instant before = clock_.now();
    const Outcome<void> started = start(script(each.script), hangs ? 300ms : 20s);
    ASSERT_FALSE(started) << each.script;
    EXPECT_LT(clock_.now() - before, 10s) << each.script;
    EXPECT_EQ(started.error().error.code, Errc::firmware_unreachable);
    EXPECT_NE(started.error().text.find(each.text), std::string::npos) << started.error().text;
    device_.stop();
  }
}

TEST_F(PlacesTest, AnImageWithoutTheDeviceSaysWhatToDo) {
  const Outcome<void> started = start(root_ + "/absent");
  ASSERT_FALSE(started);
  EXPECT_NE(started.error().text.find("absent: cannot be run: No such file"), std::string::npos);
  EXPECT_NE(started.error().remedy.find("attestbed image --sim-device"), std::string::npos);
}

TEST_F(PlacesTest, TheNextProgramIsLookedForFirst) {
  EXPECT_TRUE(check_next({}));
  EXPECT_TRUE(check_next({NextWord::Type::exec, "", script("")}));
  const Outcome<void> absent = check_next({NextWord::Type::exec, "", "/absent/init"});
  ASSERT_FALSE(absent);
  EXPECT_NE(absent.error().remedy.find("attestbed image --add"), std::string::npos);
  EXPECT_FALSE(check_next({NextWord::Type::exec, "", write("data", "")}));
}

TEST_F(PlacesTest, WhatIsNoNextRootIsRefused) {
  const std::pair<const char*, const char*> cases[] = {
      {"/usr", "is no mount point"}, {"/proc", "moves into the next root"}, {"/usr/../sys/kernel", "is below /sys"}};
  for (const auto& [root, text] : cases) {
    const Outcome<void> checked = check_next({NextWord::Type::switch_root, root, "/bin/sh"});
    ASSERT_FALSE(checked) << root;
    EXPECT_EQ(checked.error().error.code, Errc::bad_config);
    EXPECT_NE(checked.error().text.find(text), std::string::npos) << checked.error().text;
  }
  EXPECT_FALSE(check_next({NextWord::Type::switch_root, root_ + "/absent", "/bin/sh"}));
}

// In a mount namespace of its own, as a child: what it found, as its exit.
int checks_of_a_mounted_root(const std::string& root) {
  const NextWord next{NextWord::Type::switch_root, root, "/sbin/init"};
  const uid_t user = ::getuid();
  if (::unshare(user == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER) != 0) return 77;
  if (user != 0) std::ofstream("/proc/self/uid_map") << "0 " << user << " 1";
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return 77;
  if (::mount("t", root.c_str(), "tmpfs", 0, "") != 0) return 77;
  const auto refused = [&](const char* text) {
    const Outcome<void> checked = check_next(next);
    return !checked && checked.error().text.find(text) != std::string::npos;
  };
  for (const char* const folder : {"/dev", "/proc", "/sys", "/run"}) {
    if (!refused((std::string("has no directory ") + folder).c_str())) return 1;
    fs::create_directory(root + folder);
  }
  if (!refused("/sbin/init")) return 2;
  fs::create_directories(root + "/sbin");
  fs::create_directories(root + "/lib/only-there");
  std::ofstream(root + "/lib/only-there/init") << "#!/bin/sh\n";
  // Absolute in the next root, and nothing in this one.
  fs::create_symlink("/lib/only-there/init", root + "/sbin/init");
  if (!refused("is no program")) return 3;
  fs::permissions(root + "/lib/only-there/init", fs::perms::owner_all);
  return 0;
}

// Whether that root is taken where `here` is `/`, and the next root lies there at `next`: 10 taken, 11 refused since
// all of `/` would be removed, 12 refused for another reason.
int taken_from(const std::string& here, const std::string& next, const std::string& root) {
  if (::mount(root.c_str(), (here + next).c_str(), nullptr, MS_BIND, nullptr) != 0) return 77;
  const pid_t child = ::fork();
  if (child == 0) {
    if (::chroot(here.c_str()) != 0 || ::chdir("/") != 0) ::_exit(77);
    const Outcome<void> checked = check_next({NextWord::Type::switch_root, next, "/sbin/init"});
    if (checked) ::_exit(10);
    const bool told = checked.error().error.code == Errc::bad_config &&
                      checked.error().text.find("/: is no initramfs") == 0 && !checked.error().remedy.empty();
    ::_exit(told ? 11 : 12);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// Only an initramfs may be emptied. procfs stands for every other file system: it is on every machine, and never tmpfs.
int checks_of_what_would_be_emptied(const std::string& root, const std::string& here) {
  if (::mount("/proc", here.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0) return 77;
  if (const int refused = taken_from(here, "/tty", root); refused != 11) return refused == 77 ? 77 : 6;
  if (::mount("t", here.c_str(), "tmpfs", 0, "") != 0) return 77;
  fs::create_directory(here + "/sysroot");
  if (const int taken = taken_from(here, "/sysroot", root); taken != 10) return taken == 77 ? 77 : 7;
  return 0;
}

TEST_F(PlacesTest, AMountedRootWithAnInitIsTakenFromAnInitramfsAlone) {
  const std::string root = root_ + "/sysroot", here = root_ + "/here";
  fs::create_directory(root);
  fs::create_directory(here);
  const pid_t child = ::fork();
  if (child == 0) {
    try {
      const int found = checks_of_a_mounted_root(root);
      ::_exit(found != 0 ? found : checks_of_what_would_be_emptied(root, here));
    } catch (const std::exception&) {
      ::_exit(5);
    }
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "no user and mount namespaces here";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace attestbed::guest
