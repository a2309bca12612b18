// SPDX-License-Identifier: Apache-2.0
#include "tools/vm/qemu_accel.h"

#include <fcntl.h>

#include <cerrno>
#include <cstring>

#include "core/base/wire.h"
#include "core/posix/describe.h"

namespace attestbed::vm {
namespace {

using launch::Failure;
using launch::Outcome;

constexpr std::uint32_t kLoadAt = 0x100000;
// XEN_ELFNOTE_PHYS32_ENTRY: where to begin, in 32-bit mode without paging.
constexpr std::uint32_t kXenPhys32Entry = 18;

struct ElfHeader {
  ByteArray<16> ident;
  le16 type, machine;
  le32 version, entry, program_headers, section_headers, flags;
  le16 header_size, program_header_size, program_header_count, section_header_size, section_count, section_names;
};
struct ProgramHeader {
  le32 type, offset, virtual_address, physical_address, file_size, memory_size, flags, alignment;
};
struct EntryNote {
  le32 name_size, content_size, type;
  ByteArray<4> name;
  le32 entry;
};
static_assert(sizeof(ElfHeader) == 52 && sizeof(ProgramHeader) == 32 && sizeof(EntryNote) == 20);

// One instruction a line.
// clang-format off
constexpr std::uint8_t kCode[] = {
    0x0f, 0x20, 0xe0,                      // mov eax, cr4
    0x0d, 0x00, 0x06, 0x00, 0x00,          // or eax, OSFXSR | OSXMMEXCPT
    0x0f, 0x22, 0xe0,                      // mov cr4, eax
    0x0f, 0x20, 0xc0,                      // mov eax, cr0
    0x83, 0xe0, 0xfb,                      // and eax, ~EM
    0x83, 0xc8, 0x02,                      // or eax, MP
    0x0f, 0x22, 0xc0,                      // mov cr0, eax
    0x66, 0x0f, 0x76, 0xc0,                // pcmpeqd xmm0, xmm0: all ones
    0x66, 0x0f, 0x73, 0xd0, 0x3f,          // psrlq xmm0, 63: one in each half
    0x66, 0x0f, 0x7e, 0xc0,                // movd eax, xmm0
    0x83, 0xf8, 0x01,                      // cmp eax, 1
    0x75, 0x07,                            // jne over the next three
    0xb0, kDebugExitBase + kProbeStatus,   // mov al, status
    0x66, 0xba, kDebugExitPort, 0x00,      // mov dx, port
    0xee,                                  // out dx, al
    0xf4,                                  // hlt
    0xeb, 0xfd,                            // jmp to hlt
};
// clang-format on

template <class T>
void append(std::vector<std::uint8_t>& octets, const T& value) {
  const auto* const begin = reinterpret_cast<const std::uint8_t*>(&value);
  octets.insert(octets.end(), begin, begin + sizeof value);
}

AcceleratorChoice tcg(std::string reason) {
  return {Accelerator::tcg, std::move(reason)};
}

}  // namespace

std::vector<std::uint8_t> probe_guest() {
  constexpr std::uint32_t kHeaders = sizeof(ElfHeader) + 2 * sizeof(ProgramHeader);
  constexpr std::uint32_t kSize = kHeaders + sizeof(EntryNote) + sizeof kCode;
  constexpr std::uint32_t kEntry = kLoadAt + kHeaders + sizeof(EntryNote);

  ElfHeader elf{};
  elf.ident = {0x7f, 'E', 'L', 'F', 1, 1, 1};  // 32 bits, little-endian
  elf.type = 2;                                // executable
  elf.machine = 3;                             // 386
  elf.version = 1;
  elf.entry = kEntry;
  elf.program_headers = std::uint32_t{sizeof(ElfHeader)};
  elf.header_size = std::uint16_t{sizeof(ElfHeader)};
  elf.program_header_size = std::uint16_t{sizeof(ProgramHeader)};
  elf.program_header_count = 2;
  ProgramHeader load{};
  load.type = 1;
  load.virtual_address = load.physical_address = kLoadAt;
  load.file_size = load.memory_size = kSize;
  load.flags = 5;  // read, execute
  load.alignment = 0x1000;
  ProgramHeader note{};
  note.type = 4;
  note.offset = kHeaders;
  note.virtual_address = note.physical_address = kLoadAt + kHeaders;
  note.file_size = note.memory_size = std::uint32_t{sizeof(EntryNote)};
  note.flags = 4;
  note.alignment = 4;
  const EntryNote entry{4, 4, kXenPhys32Entry, {'X', 'e', 'n', 0}, kEntry};

  std::vector<std::uint8_t> file;
  append(file, elf);
  append(file, load);
  append(file, note);
  append(file, entry);
  append(file, kCode);
  return file;
}

Outcome<AcceleratorChoice> probe_kvm(const std::string& qemu, const std::string& folder, launch::Children& children,
                                     Clock& clock) {
  const posix::Fd device(::open("/dev/kvm", O_RDWR | O_CLOEXEC));
  if (!device) return tcg(std::string("/dev/kvm: ") + std::strerror(errno));
  const std::string kernel = folder + "/probe.elf";
  if (const Status written = posix::write_file_private(kernel, probe_guest()); !written) {
    return Failure{.reason = kernel + ": " + posix::describe(written.error())};
  }
  launch::Child* const child = TRY(children.start(
      {.name = "qemu probe",
       .program = qemu,
       .args = {"-nodefaults", "-display", "none", "-no-reboot", "-machine", "microvm,accel=kvm", "-cpu", "host", "-m",
                "32", "-kernel", kernel, "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"}}));
  const Outcome<launch::Exit> exit = children.wait_exit(*child, clock.now() + kProbePatience);
  if (!exit) {
    children.end(*child, std::chrono::milliseconds(100));
    if (exit.error().stopped) return exit.error();
    return tcg("KVM does not run a tiny guest to its end within " + std::to_string(kProbePatience.count()) + " s");
  }
  if (!exit->by_signal && guest_status(exit->number) == kProbeStatus) {
    return AcceleratorChoice{Accelerator::kvm, "KVM ran a tiny guest"};
  }
  return tcg("KVM does not run a tiny guest: QEMU ended with " + exit->text());
}

}  // namespace attestbed::vm
