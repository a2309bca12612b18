// SPDX-License-Identifier: Apache-2.0
#include "sim/machine_options.h"

#include <algorithm>

#include "core/posix/describe.h"
#include "sim/fault_plan.h"
#include "sim/option_values.h"
#include "sim/ovmf_launch.h"
#include "sim/throttle.h"

namespace attestbed::sim {

void add_machine(CLI::App* app, MachineOptions& into) {
  app->add_option("--ca", into.ca_directory,
                  "directory of `snp-sim certs`; default: the PUBLIC TEST KEYS of the default seed")
      ->type_name("DIR");
  add_product(app, into.product);
  add_tcb(app, "--reported-tcb", "REPORTED_TCB where it differs from the directory's", into.reported_tcb);
  add_tcb(app, "--committed-tcb", "COMMITTED_TCB where it differs from REPORTED_TCB", into.committed_tcb);
  add_tcb(app, "--current-tcb", "CURRENT_TCB where it differs from COMMITTED_TCB", into.current_tcb);
  add_version(app, "--committed-version", "COMMITTED build, minor and major; the product's usual ones if absent",
              into.committed_version);
  add_version(app, "--current-version", "CURRENT build, minor and major where they differ from the committed ones",
              into.current_version);
  add_checked(app, "--platform-info", "PLATFORM_INFO; the product's usual one if absent", "HEX",
              [&into](const std::string& value) { return hex_number(value, into.platform_info.emplace()); });
  add_checked(app, "--mitigation-vector", "CURRENT_MIT_VECTOR, shown from report version 5", "HEX",
              [&into](const std::string& value) { return hex_number(value, into.mitigation_vector); });
  app->add_flag("--mask-chip-id", into.mask_chip_id, "SNP_CONFIG MASK_CHIP_ID: reports show no CHIP_ID");
  app->add_flag("--mask-chip-key", into.mask_chip_key, "SNP_CONFIG MASK_CHIP_KEY: the VCEK signs nothing");
  app->add_flag("--load-vlek", into.load_vlek,
                "SNP_VLEK_LOAD: reports are signed with the VLEK if the guest lets them");
}

namespace {

void add_id_block_files(CLI::App* app, GuestOptions& into) {
  CLI::Option* block = app->add_option("--id-block", into.id_block, "ID block that the launch must fit, 96 octets");
  CLI::Option* auth = app->add_option("--id-auth", into.id_auth, "its ID authentication information, 4096 octets");
  block->type_name("FILE")->needs(auth);
  auth->type_name("FILE")->needs(block);
  app->add_flag("--author-key-enabled", into.author_key_enabled, "verify and show the author key of --id-auth, too")
      ->needs(auth);
  app->add_flag("--vcek-disabled", into.vcek_disabled, "let the VCEK sign nothing for this guest (VCEK_DIS)");
}

void add_direct_boot(CLI::App* app, OvmfFiles& into, CLI::Option* label) {
  CLI::Option* firmware =
      app->add_option("--ovmf", into.ovmf, "firmware that is launched, as attestbed measure takes it")
          ->type_name("FILE");
  CLI::Option* kernel =
      app->add_option("--kernel", into.kernel, "kernel that it verifies and boots")->type_name("FILE")->needs(firmware);
  firmware->excludes(label);
  app->add_option("--initrd", into.initrd, "its initial RAM disk")->type_name("FILE")->needs(kernel);
  app->add_option("--append", into.cmdline, "its command line")->type_name("TEXT")->needs(kernel);
  app->add_option("--vcpus", into.vcpus, "virtual CPUs")
      ->type_name("N")
      ->check(CLI::Range(1U, kMaxVcpus))
      ->needs(firmware)
      ->capture_default_str();
  app->add_option("--vcpu-type", into.vcpu_type, "processor model by QEMU's name")
      ->type_name("MODEL")
      ->needs(firmware)
      ->capture_default_str();
}

}  // namespace

void add_guest(CLI::App* app, GuestOptions& into) {
  CLI::Option* label = app->add_option("--image", into.image, "label from which the synthetic guest image is made")
                           ->type_name("LABEL")
                           ->capture_default_str();
  add_direct_boot(app, into.launch, label);
  add_checked(app, "--policy", "launch policy, hex (default 30000: SMT allowed)", "HEX",
              [&into](const std::string& value) { return hex_number(value, into.policy); });
  add_checked(app, "--host-data", "HOST_DATA of the launch, up to 32 octets", "HEX",
              [&into](const std::string& value) { return hex_into(value, into.host_data); });
  app->add_option("--seed", into.seed, "make VMPCKs, REPORT_IDs and signatures repeatable")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber);
  add_id_block_files(app, into);
}

void add_report_version(CLI::App* app, const char* name, MachineOptions& into) {
  app->add_option(name, into.report_version, "version of the reports: 2, 3 or 5")
      ->type_name("N")
      ->check(CLI::IsMember({2, 3, 5}))
      ->capture_default_str();
}

void add_host(CLI::App* app, HostOptions& into) {
  app->add_option("--fault", into.faults, "what the host does to a request of each guest; repeatable")
      ->type_name("N:KIND[:ARG]")
      ->check(CLI::Validator(
          [](const std::string& text) {
            const auto fault = parse_fault(text);
            return fault ? std::string() : posix::describe(fault.error());
          },
          ""));
  app->add_option("--profile", into.profile, "how fast the host lets each guest ask: fast, gcp-milan, slow")
      ->type_name("NAME")
      ->check(CLI::Validator(
          [](const std::string& name) {
            const auto profile = throttle_profile_named(name);
            return profile ? std::string() : posix::describe(profile.error());
          },
          ""))
      ->capture_default_str();
  app->add_flag("!--no-certs", into.certificates, "have no certificates for guests that ask for them");
}

void add_device(CLI::App* app, DeviceOptions& into) {
  app->footer(
      "Makes the character device /dev/NAME (CUSE: needs root and the module cuse), which answers SNP_GET_REPORT,\n"
      "SNP_GET_DERIVED_KEY and SNP_GET_EXT_REPORT as Linux' driver does, and is gone when this program ends: on\n"
      "SIGTERM or SIGINT. Prints `ready /dev/NAME` on standard output once the device is there.\n"
      "--line leads to `snp-sim serve --unix`: the keys stay outside. The options of machine, guest and host are for\n"
      "--inside. Faults and profiles: as for serve. Protocol: docs/firmware-socket.md");
  CLI::Option* line = app->add_option("--line", into.line,
                                      "firmware at the other end of a unix socket or of a character device, such as a "
                                      "virtio port");
  CLI::Option* inside = app->add_flag("--inside", into.inside, "firmware inside this program");
  line->type_name("PATH")->excludes(inside);
  add_checked(app, "--name", "name of the device (default sev-guest)", "NAME", [&into](const std::string& value) {
    into.name = value;
    return std::string(device_name_ok(value) ? "" : "must be 1 to 32 of A-Z a-z 0-9 _ -");
  });
  app->add_option("--vmpck", into.vmpck, "VMPCK that the driver uses, and so the lowest VMPL that it can ask for")
      ->check(CLI::Range(0, 3))
      ->capture_default_str();
  app->add_option("--wait", into.wait_seconds, "seconds until the other end of --line must be there")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  const std::vector<CLI::Option*> of_both = app->get_options();
  add_report_version(app, "--report-version", into.machine);
  add_machine(app, into.machine);
  add_guest(app, into.guest);
  add_host(app, into.host);
  // A machine at the other end of the line has its own: what is said here would say nothing.
  for (CLI::Option* option : app->get_options()) {
    if (std::ranges::find(of_both, option) == of_both.end()) option->needs(inside);
  }
  app->final_callback([&into] {
    if (into.line.empty() && !into.inside) throw CLI::RequiredError("one of --line PATH and --inside");
  });
}

bool device_name_ok(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= 32 && std::ranges::all_of(name, fits);
}

}  // namespace attestbed::sim
