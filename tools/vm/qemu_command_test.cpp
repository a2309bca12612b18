// SPDX-License-Identifier: Apache-2.0
#include "tools/vm/qemu_command.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "core/posix/clock.h"
#include "core/posix/describe.h"
#include "tools/vm/qemu_accel.h"

namespace attestbed::vm {
namespace {

std::string joined(const std::vector<std::string>& argv) {
  std::string text;
  for (const std::string& word : argv) text += (text.empty() ? "" : "\n") + word;
  return text;
}

TEST(QemuCommand, OfAGuestOverCom3) {
  const QemuGuest guest{.qemu = "/usr/bin/qemu-system-x86_64",
                        .kernel = "/b/bzImage",
                        .initrd = "/b/initramfs,1",
                        .append = "console=ttyS0 quiet",
                        .com3_socket = "/s/a,b.sock",
                        .ports = {{"attestbed.firmware", "/s/firmware.sock", ""}, {"attestbed.secret", "", "/s/out"}}};
  EXPECT_EQ(joined(qemu_argv(guest)),
            "/usr/bin/qemu-system-x86_64\n-nodefaults\n-no-user-config\n-display\nnone\n-no-reboot\n"
            "-machine\nq35,hpet=off,smm=off,accel=tcg\n-cpu\nmax\n-m\n256\n"
            "-kernel\n/b/bzImage\n-initrd\n/b/initramfs,1\n-append\nconsole=ttyS0 quiet\n"
            "-serial\nstdio\n-serial\nnull\n"
            "-chardev\nsocket,id=c3,path=/s/a,,b.sock,reconnect=1\n-serial\nchardev:c3\n"
            "-device\nisa-debug-exit,iobase=0xf4,iosize=0x04\n-device\nvirtio-serial-pci\n"
            "-chardev\nsocket,id=p0,path=/s/firmware.sock,reconnect=1\n"
            "-device\nvirtserialport,chardev=p0,name=attestbed.firmware\n"
            "-chardev\nfile,id=p1,path=/s/out\n-device\nvirtserialport,chardev=p1,name=attestbed.secret");
}

TEST(QemuCommand, OfAGuestOverVsockUnderKvm) {
  const QemuGuest guest{.qemu = "q",
                        .accelerator = Accelerator::kvm,
                        .reconnect = Reconnect::milliseconds,
                        .memory_mib = 512,
                        .kernel = "k",
                        .initrd = "i",
                        .append = "a",
                        .com3_socket = "",
                        .ports = {{"p", "/s", ""}},
                        .vsock_cid = 7};
  EXPECT_EQ(joined(qemu_argv(guest)),
            "q\n-nodefaults\n-no-user-config\n-display\nnone\n-no-reboot\n-machine\nq35,hpet=off,smm=off,accel=kvm\n-"
            "cpu\nhost\n-m\n512\n"
            "-kernel\nk\n-initrd\ni\n-append\na\n-serial\nstdio\n-serial\nnull\n-serial\nnull\n"
            "-device\nisa-debug-exit,iobase=0xf4,iosize=0x04\n-device\nvirtio-serial-pci\n"
            "-chardev\nsocket,id=p0,path=/s,reconnect-ms=1000\n-device\nvirtserialport,chardev=p0,name=p\n"
            "-device\nvhost-vsock-pci,guest-cid=7");
}

TEST(QemuCommand, TellsTheGuestsStatusFromQemusOwn) {
  struct Case {
    int qemu_exit;
    std::optional<int> status;
  };
  for (const Case& c : {Case{33, 0}, {35, 1}, {43, 5}, {0, {}}, {1, {}}, {2, {}}, {31, {}}, {34, {}}}) {
    EXPECT_EQ(guest_status(c.qemu_exit), c.status) << c.qemu_exit;
  }
}

TEST(ProbeGuest, IsAnElfFileWithTheNoteThatQemuStartsItBy) {
  const std::vector<std::uint8_t> file = probe_guest();
  ASSERT_GT(file.size(), 136U);
  EXPECT_EQ(text_of(Bytes(file).first(4)),
            "\x7f"
            "ELF");
  // Entry in the header and in the note: behind both headers and the note, loaded at 1 MiB.
  const std::uint8_t entry[] = {0x88, 0x00, 0x10, 0x00};
  EXPECT_TRUE(std::equal(entry, entry + 4, file.begin() + 24));
  EXPECT_TRUE(std::equal(entry, entry + 4, file.begin() + 132));
}

/// The probe guest in a real QEMU: what KVM must be able to do, TCG can.
TEST(ProbeGuest, EndsWithItsStatusUnderTcg) {
  const std::string qemu = "/usr/bin/qemu-system-x86_64";
  if (::access(qemu.c_str(), X_OK) != 0) GTEST_SKIP() << "no QEMU: ./run deps installs it";
  const std::filesystem::path folder = std::filesystem::temp_directory_path() / ("probe-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  const std::string kernel = (folder / "probe.elf").string();
  ASSERT_TRUE(posix::write_file_private(kernel, probe_guest()));
  posix::SteadyClock clock;
  launch::Children children(clock);
  const auto child = children.start(
      {.name = "qemu",
       .program = qemu,
       .args = {"-nodefaults", "-display", "none", "-no-reboot", "-machine", "microvm,accel=tcg", "-cpu", "max", "-m",
                "32", "-kernel", kernel, "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"}});
  ASSERT_TRUE(child) << child.error().text();
  const auto exit = children.wait_exit(**child, clock.now() + std::chrono::seconds(60));
  ASSERT_TRUE(exit) << exit.error().text();
  EXPECT_EQ(guest_status(exit->number), kProbeStatus) << exit->text() << (*child)->last_lines();
  // Whichever is chosen, the choice says why.
  std::filesystem::remove(kernel);
  const auto choice = probe_kvm(qemu, folder.string(), children, clock);
  ASSERT_TRUE(choice) << choice.error().text();
  EXPECT_FALSE(choice->reason.empty());
  std::printf("[ chosen   ] %s: %s\n", accelerator_name(choice->accelerator), choice->reason.c_str());
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace attestbed::vm
