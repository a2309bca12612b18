// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "sim/ca.h"
#include "sim/id_block.h"
#include "sim/ovmf_files.h"
#include "sim/tcb_change.h"

namespace attestbed::sim {

// What each subcommand of snp-sim was asked to do, checked as far as that needs no files.

/// MachineOptions name the chip, one saved in a directory or the default seed's of a product, and say how its firmware
/// is configured. REPORTED_TCB is by default the directory's, COMMITTED_TCB by default that, CURRENT_TCB by default
/// COMMITTED_TCB; the committed version is by default the product's, and the current one by default that.
struct MachineOptions {
  std::string ca_directory;  // empty = the default seed's, whose keys are public
  std::optional<snp::Product> product;
  std::uint32_t report_version = 3;
  bool load_vlek = false, mask_chip_id = false, mask_chip_key = false;
  TcbChange reported_tcb{}, committed_tcb{}, current_tcb{};
  std::optional<snp::FirmwareVersion> committed_version{}, current_version{};
  std::optional<std::uint64_t> platform_info{};
  std::uint64_t mitigation_vector = 0;
};

/// GuestOptions say what is launched: the image of a label, or, if launch.ovmf is not empty, what that names.
struct GuestOptions {
  std::string image = "attestbed-demo-guest";
  OvmfFiles launch{};
  std::uint64_t policy = 0x30000;
  ByteArray<32> host_data{};
  std::optional<Seed> seed;
  std::string id_block, id_auth;  // files; both or none
  bool author_key_enabled = false;
  bool vcek_disabled = false;
};

/// HostOptions say what the hypervisor does with a guest's requests.
struct HostOptions {
  std::vector<std::string> faults;
  std::string profile = "fast";
  bool certificates = true;
};

struct ServeOptions {
  MachineOptions machine;
  GuestOptions guest;
  HostOptions host;
  std::string unix_path;
  bool force = false;
  std::uint64_t idle_seconds = 600;
  std::size_t max_guests = 256;
};

struct CertsOptions {
  std::string out;
  bool force = false;
  snp::Product product = snp::Product::milan;
  TcbChange tcb;
  std::string csp_id = kDefaultCspId;
  std::optional<Seed> seed;
  std::optional<std::chrono::sys_seconds> not_before;
};

struct ReportOptions {
  MachineOptions machine;
  GuestOptions guest;
  std::string out;
  snp::ReportData report_data{};
  std::uint32_t vmpl = 0;
  std::uint32_t key_sel = snp::kKeySelVlekIfLoaded;
};

struct ReportsOptions {
  std::string out;
  std::uint32_t count = 200;
  Seed seed = kDefaultSeed;
};

/// FirmwareOptions: where the synthetic firmware goes.
struct FirmwareOptions {
  std::string out;
};

struct MeasurementOptions {
  std::string image;
};

/// IdBlockOptions are the fields of an ID block, the keys that sign it, and where block and authentication go.
struct IdBlockOptions {
  IdBlock block{};
  std::string id_key, author_key;  // PEM files; an empty author key = none
  std::string out_block, out_auth;
};

/// KdsOptions: what is served where. `beyond_loopback` allows any address.
struct KdsOptions {
  std::string ca_directory;  // empty = the default seed's of every product
  std::string listen = "127.0.0.1:8088";
  bool beyond_loopback = false;
  bool revoke = false;
  std::vector<std::string> faults;
};

/// DeviceOptions: which character device is made, and where its firmware is: at the other end of `line`, or inside.
///   line          unix socket of `snp-sim serve`, or a character device that leads to one; empty = inside
///   vmpck         which VMPCK the driver uses, as Linux' vmpck_id
///   wait_seconds  for how long the other end of `line` may take to be there
struct DeviceOptions {
  MachineOptions machine;
  GuestOptions guest;
  HostOptions host;
  std::string name = "sev-guest";
  std::string line;
  bool inside = false;
  unsigned vmpck = 0;
  std::uint64_t wait_seconds = 30;
};

using Command = std::variant<ServeOptions, CertsOptions, ReportOptions, ReportsOptions, MeasurementOptions,
                             IdBlockOptions, KdsOptions, FirmwareOptions, DeviceOptions>;

/// parse_command_line returns the command, or the exit status of a program that is already done: 0 after --help or
/// --version, 2 after a usage error that was printed.
std::variant<Command, int> parse_command_line(int argc, char** argv, const char* version);

}  // namespace attestbed::sim
