// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "sim/ca.h"

namespace attestbed::sim {

// What each subcommand of snp-sim was asked to do, checked as far as that needs no files.

/// MachineOptions name the chip: one saved in a directory, or the default seed's of a product.
struct MachineOptions {
  std::string ca_directory;  // empty = the default seed's, whose keys are public
  std::optional<snp::Product> product;
};

/// GuestOptions say what is launched.
struct GuestOptions {
  std::string image = "attestbed-demo-guest";
  std::uint64_t policy = 0x30000;
  ByteArray<32> host_data{};
  std::optional<Seed> seed;
};

struct ServeOptions {
  MachineOptions machine;
  GuestOptions guest;
  std::string unix_path;
  bool force = false;
  std::vector<std::string> faults;
  std::uint64_t idle_seconds = 600;
  std::size_t max_guests = 256;
};

struct CertsOptions {
  std::string out;
  snp::Product product = snp::Product::milan;
  std::optional<Seed> seed;
  std::optional<std::chrono::sys_seconds> not_before;
};

struct ReportOptions {
  MachineOptions machine;
  GuestOptions guest;
  std::string out;
  snp::ReportData report_data{};
  std::uint32_t vmpl = 0;
};

struct MeasurementOptions {
  std::string image;
};

using Command = std::variant<ServeOptions, CertsOptions, ReportOptions, MeasurementOptions>;

/// parse_command_line returns the command, or the exit status of a program that is already done: 0 after --help or
/// --version, 2 after a usage error that was printed.
std::variant<Command, int> parse_command_line(int argc, char** argv, const char* version);

}  // namespace attestbed::sim
