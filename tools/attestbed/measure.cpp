// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/base/base64.h"
#include "core/posix/describe.h"
#include "sim/igvm.h"
#include "sim/ovmf_files.h"
#include "sim/ovmf_launch.h"
#include "sim/page_list.h"
#include "tools/attestbed/exit_code.h"
#include "tools/attestbed/launch_steps.h"
#include "tools/attestbed/subcommands.h"

namespace attestbed::tools {
namespace {

using nlohmann::ordered_json;
using sim::Failure;
using sim::LaunchImage;
using sim::Outcome;

struct Options {
  std::string pages, igvm;
  sim::OvmfFiles launch;
  std::string format = "hex";
  bool steps = false;
};

constexpr char kFooter[] =
    "A page list has a line per region: TYPE GPA [option…], in the order of measuring. TYPE is normal, vmsa, zero,\n"
    "unmeasured, secrets or cpuid. Options: pages=N, file=PATH, offset=N, repeat=HEX, large (pages of 2 MiB),\n"
    "vmpl1=N, vmpl2=N, vmpl3=N, and of a vmsa eip=N, cpu=N, features=N, vmm=NAME. # begins a comment.\n"
    "A kernel needs a firmware that verifies it: one whose SEV metadata has a kernel hash table.\n"
    "Exit codes: 0 measured, 1 no firmware launches this, 2 usage, or an image that is malformed or has no place for\n"
    "the kernel's hashes, 3 a file cannot be read or is too large.\n"
    "Examples:\n"
    "  attestbed measure --pages guest.txt --steps\n"
    "  attestbed measure --ovmf OVMF.fd --vcpus 4 --vcpu-type EPYC-Milan --guest-features 0x21\n"
    "  attestbed measure --ovmf OVMF.fd --kernel vmlinuz --initrd initrd.img --append 'console=ttyS0' --json\n"
    "  attestbed measure --igvm coconut-qemu.igvm\n";

Outcome<std::string> read(const std::string& path, std::size_t max) {
  Result<std::string> octets = posix::read_file(path, max);
  if (!octets) return sim::failure_at(path, octets.error());
  return *std::move(octets);
}

Outcome<LaunchImage> image_of(const Options& options) {
  if (!options.pages.empty()) return sim::load_page_list(options.pages);
  if (!options.launch.ovmf.empty()) return sim::load_ovmf_launch(options.launch);
  const std::string octets = TRY(read(options.igvm, sim::kMaxIgvmBytes));
  return sim::igvm_image(sim::ImageFile(options.igvm, bytes_of(octets)));
}

Outcome<LaunchSteps> measure_all(const Options& options) {
  const LaunchImage image = TRY(image_of(options));
  return launch_steps(image, options.steps);
}

std::string base64_text(const snp::Measurement& measurement) {
  std::string text(base64_encoded_size(Base64::standard, measurement.size()), '\0');
  Writer out({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  base64_encode(Base64::standard, measurement, out);
  return text;
}

std::string text_of_digests(const Options& options, const LaunchSteps& digests) {
  if (options.format == "json") {
    ordered_json all = {{"measurement", posix::to_hex(digests.measurement)},
                        {"base64", base64_text(digests.measurement)},
                        {"pages", digests.pages}};
    if (options.steps) all["steps"] = digests.steps;
    return all.dump(2) + "\n";
  }
  std::string text;
  for (const ordered_json& line : digests.steps) {
    std::string type = line.at("type").get<std::string>();
    type.resize(10, ' ');
    text += type + " " + line.at("gpa").get<std::string>() + " " + line.at("digest").get<std::string>() + " " +
            line.at("name").get<std::string>() + "\n";
  }
  return text + (options.format == "hex" ? posix::to_hex(digests.measurement) : base64_text(digests.measurement)) +
         "\n";
}

int measure_command(const Options& options) {
  const Outcome<LaunchSteps> digests = measure_all(options);
  if (!digests) return refuse_to_begin("measure", digests.error());
  std::fputs(text_of_digests(options, *digests).c_str(), stdout);
  return kExitOk;
}

void add_ovmf_options(CLI::App& command, sim::OvmfFiles& into, CLI::Option* firmware) {
  CLI::Option* kernel = command.add_option("--kernel", into.kernel, "Kernel that the host boots directly");
  kernel->needs(firmware);
  command.add_option("--initrd", into.initrd, "Its initial RAM disk")->needs(kernel);
  command.add_option("--append", into.cmdline, "Its command line")->needs(kernel);
  command.add_option("--vcpus", into.vcpus, "Virtual CPUs")
      ->check(CLI::Range(1U, sim::kMaxVcpus))
      ->needs(firmware)
      ->capture_default_str();
  CLI::Option* type = command.add_option("--vcpu-type", into.vcpu_type, "Processor model by QEMU's name");
  type->needs(firmware)->capture_default_str();
  command.add_option("--vcpu-sig", into.vcpu_signature, "CPUID 1 EAX of the processor, as 0x800f12")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{0xffffffff}))
      ->needs(firmware)
      ->excludes(type);
  command.add_option("--vmm-type", into.vmm_type, "Whose first registers: QEMU, ec2 or gce")
      ->needs(firmware)
      ->capture_default_str();
  command.add_option("--guest-features", into.guest_features, "SEV_FEATURES of the VMSAs, as 0x21; by default 1")
      ->needs(firmware);
}

}  // namespace

void add_measure(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("measure", "Compute the launch digest that a report will show as MEASUREMENT");
  CLI::Option* pages = command->add_option("--pages", options->pages, "Page list that is launched");
  CLI::Option* firmware = command->add_option("--ovmf", options->launch.ovmf, "OVMF firmware that is launched");
  CLI::Option* igvm = command->add_option("--igvm", options->igvm, "IGVM file that is launched");
  pages->excludes(firmware)->excludes(igvm);
  firmware->excludes(igvm);
  add_ovmf_options(*command, options->launch, firmware);
  command->add_option("--format", options->format, "hex, base64 or json")
      ->check(CLI::IsMember({"hex", "base64", "json"}))
      ->capture_default_str();
  command->add_flag_callback(
      "--json", [options] { options->format = "json"; }, "Same as --format json");
  command->add_flag("--steps", options->steps, "The digest after each page, too");
  command->footer(kFooter);
  command->callback([options, pages, firmware, igvm, &exit_code] {
    if (pages->count() + firmware->count() + igvm->count() == 0) throw CLI::RequiredError("--pages, --ovmf or --igvm");
    exit_code = measure_command(*options);
  });
}

}  // namespace attestbed::tools
