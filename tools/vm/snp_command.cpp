// SPDX-License-Identifier: Apache-2.0
#include "tools/vm/snp_command.h"

#include "core/base/base64.h"
#include "core/snp/report.h"
#include "sim/id_block.h"
#include "sim/image_file.h"
#include "sim/vmsa.h"
#include "tools/vm/qemu_words.h"

namespace attestbed::vm {
namespace {

using sim::Failure;
using sim::Outcome;

constexpr std::size_t kMaxPath = 4095;               // PATH_MAX with its zero
constexpr std::size_t kMaxSocketPath = 107;          // sun_path with its zero
constexpr std::size_t kMaxKernelCommandLine = 2047;  // x86 COMMAND_LINE_SIZE with its zero
constexpr std::size_t kHostDataBytes = 32;
constexpr unsigned kMaxCbitPosition = 63;

Failure wrong(const std::string& what, const std::string& expected, const std::string& found) {
  return {Errc::bad_config, what + ": expected " + expected + ", found " + found};
}

bool has_control_character(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return true;
  }
  return false;
}

Outcome<void> check_path(const std::string& what, const std::string& path, std::size_t max = kMaxPath) {
  if (path.empty()) return wrong(what, "a path", "none");
  if (path.size() > max) {
    return wrong(what, "a path of at most " + std::to_string(max) + " octets", std::to_string(path.size()));
  }
  if (has_control_character(path)) return wrong(what, "a path", "one with a control character");
  return {};
}

Outcome<void> check_number(const std::string& what, unsigned number, unsigned min, unsigned max) {
  if (number >= min && number <= max) return {};
  return wrong(what, std::to_string(min) + " to " + std::to_string(max), std::to_string(number));
}

/// check_octets demands canonical base64 of exactly `octets` octets: QEMU takes other lengths for an error only when it
/// has got as far as the hardware.
Outcome<std::string> check_octets(const std::string& what, const std::string& text, std::size_t octets) {
  const std::string expected = "base64 of " + std::to_string(octets) + " octets";
  if (text.size() != base64_encoded_size(Base64::standard, octets)) {
    return wrong(what, expected, std::to_string(text.size()) + " characters");
  }
  std::string room(base64_max_decoded_size(text.size()), '\0');
  const auto decoded = base64_decode(Base64::standard, bytes_of(text),
                                     {reinterpret_cast<std::uint8_t*>(room.data()), room.size()}, "base64");
  if (!decoded)
    return wrong(what, expected, "other characters or padding, at " + std::to_string(decoded.error().found));
  if (decoded->size() != octets) return wrong(what, expected, std::to_string(decoded->size()) + " octets");
  return std::string(text_of(*decoded));
}

Outcome<void> check_policy(std::uint64_t policy) {
  if ((policy & snp::kPolicyReservedOne) == 0) {
    return wrong("policy", "bit 17 set (0x20000), as the firmware demands", sim::hex_number(policy));
  }
  if ((policy & ~snp::policy_bits(5)) != 0) {
    return wrong("policy", "no bit above 25", sim::hex_number(policy));
  }
  return {};
}

Outcome<void> check_identity(const SnpCommand& guest) {
  if (guest.id_block.empty() != guest.id_auth.empty()) {
    return wrong("ID block", "block and authentication, both or neither",
                 guest.id_auth.empty() ? "a block alone" : "no block");
  }
  if (guest.id_block.empty()) {
    if (guest.author_key_enabled) return wrong("author key", "an ID block that it endorses", "none");
    return {};
  }
  const std::string octets = TRY(check_octets("ID block", guest.id_block, sizeof(sim::IdBlock)));
  TRY(check_octets("ID authentication", guest.id_auth, sizeof(sim::IdAuth)));
  const auto block = sim::parse_id_block(bytes_of(octets));
  if (!block) return sim::failure_at("ID block", block.error());
  if (block->policy != guest.policy) {
    return wrong("ID block", "the guest's policy, " + sim::hex_number(guest.policy), sim::hex_number(block->policy));
  }
  return {};
}

Outcome<void> check_boot(const DirectBoot& boot) {
  TRY(check_path("OVMF", boot.ovmf));
  TRY(check_path("kernel", boot.kernel));
  if (!boot.initrd.empty()) TRY(check_path("initial RAM disk", boot.initrd));
  if (boot.append.size() > kMaxKernelCommandLine) {
    return wrong("kernel command line", "at most " + std::to_string(kMaxKernelCommandLine) + " octets",
                 std::to_string(boot.append.size()));
  }
  if (has_control_character(boot.append)) return wrong("kernel command line", "one line", "a control character");
  return {};
}

Outcome<void> check_boot(const IgvmBoot& boot, const SnpCommand& guest) {
  TRY(check_path("IGVM file", boot.igvm));
  if (guest.policy != kSnpPolicy || !guest.id_block.empty()) {
    return wrong("IGVM file", "no policy and no ID block beside it, since it has its own", "one of them");
  }
  return {};
}

Outcome<void> check(const SnpCommand& guest) {
  TRY(check_path("QEMU", guest.qemu));
  TRY(check_number("processors", guest.vcpus, 1, kMaxSnpVcpus));
  TRY(check_number("memory in MiB", guest.memory_mib, kMinSnpMemoryMib, kMaxSnpMemoryMib));
  TRY(sim::cpu_signature_of(guest.cpu_model));
  TRY(check_policy(guest.policy));
  TRY(check_number("C-bit position", guest.cbit_position, 1, kMaxCbitPosition));
  if (!guest.host_data.empty()) TRY(check_octets("HOST_DATA", guest.host_data, kHostDataBytes));
  TRY(check_identity(guest));
  if (guest.console != "stdio") TRY(check_path("console", guest.console));
  TRY(check_path("socket of COM3", guest.com3_socket, kMaxSocketPath));
  if (const auto* direct = std::get_if<DirectBoot>(&guest.boot)) return check_boot(*direct);
  return check_boot(std::get<IgvmBoot>(guest.boot), guest);
}

std::string machine(bool igvm) {
  return std::string("q35,accel=kvm,confidential-guest-support=sev0,memory-backend=ram1,vmport=off") +
         (igvm ? ",igvm-cfg=igvm0" : "");
}

std::string sev_snp_guest(const SnpCommand& guest, bool igvm) {
  std::string object = "sev-snp-guest,id=sev0,cbitpos=" + std::to_string(guest.cbit_position) +
                       ",reduced-phys-bits=" + std::to_string(kReducedPhysBits);
  if (!igvm) object += ",policy=" + sim::hex_number(guest.policy) + ",kernel-hashes=on";
  if (!guest.host_data.empty()) object += ",host-data=" + guest.host_data;
  if (!guest.id_block.empty()) object += ",id-block=" + guest.id_block + ",id-auth=" + guest.id_auth;
  if (guest.author_key_enabled) object += ",author-key-enabled=on";
  return object;
}

/// Words collects the command line.
class Words {
 public:
  explicit Words(std::string program) : words_{std::move(program)} {}
  void add(std::string option, std::string value) {
    words_.push_back(std::move(option));
    words_.push_back(std::move(value));
  }
  void add(std::string word) { words_.push_back(std::move(word)); }
  std::vector<std::string> take() { return std::move(words_); }

 private:
  std::vector<std::string> words_;
};

void add_boot(const DirectBoot& boot, Words& words) {
  words.add("-bios", boot.ovmf);
  words.add("-kernel", boot.kernel);
  if (!boot.initrd.empty()) words.add("-initrd", boot.initrd);
  if (!boot.append.empty()) words.add("-append", boot.append);
}

/// add_serial: QEMU numbers the ports in the order of the -serial options.
void add_serial(const SnpCommand& guest, Words& words) {
  if (guest.console == "stdio") {
    words.add("-serial", "stdio");
  } else {
    words.add("-chardev", "file,id=c1,path=" + comma_escaped(guest.console));
    words.add("-serial", "chardev:c1");
  }
  words.add("-serial", "null");
  words.add("-chardev", "socket,id=c3,path=" + comma_escaped(guest.com3_socket) +
                            (guest.reconnect == Reconnect::seconds ? ",reconnect=1" : ",reconnect-ms=1000"));
  words.add("-serial", "chardev:c3");
}

}  // namespace

Outcome<std::vector<std::string>> snp_argv(const SnpCommand& guest) {
  TRY(check(guest));
  const auto* igvm = std::get_if<IgvmBoot>(&guest.boot);
  const std::string memory = std::to_string(guest.memory_mib) + "M";
  Words words(guest.qemu);
  words.add("-nodefaults");
  words.add("-no-user-config");
  words.add("-no-reboot");
  words.add("-display", "none");
  words.add("-machine", machine(igvm != nullptr));
  words.add("-cpu", guest.cpu_model);
  words.add("-smp", std::to_string(guest.vcpus));
  words.add("-m", memory);
  words.add("-object", "memory-backend-memfd,id=ram1,size=" + memory + ",share=true,prealloc=false,reserve=false");
  if (igvm != nullptr) words.add("-object", "igvm-cfg,id=igvm0,file=" + comma_escaped(igvm->igvm));
  words.add("-object", sev_snp_guest(guest, igvm != nullptr));
  if (igvm == nullptr) add_boot(std::get<DirectBoot>(guest.boot), words);
  add_serial(guest, words);
  for (const std::string& word : guest.more) words.add(word);
  return words.take();
}

}  // namespace attestbed::vm
