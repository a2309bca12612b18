// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "sim/product_profile.h"
#include "sim/tcb_change.h"

namespace attestbed::sim {

// Options whose values have a form of their own. What is wrong with a value is returned as text, empty if nothing:
// CLI11's own convention.

/// hex_into fills a fixed field from at most as much hex; what is missing at the end is zero.
std::string hex_into(const std::string& text, MutBytes field);

/// hex_number reads 64 bits, with or without 0x.
std::string hex_number(std::string text, std::uint64_t& into);

/// add_checked adds an option that `parse` reads and judges.
CLI::Option* add_checked(CLI::App* app, const std::string& name, const std::string& help, const std::string& type,
                         std::function<std::string(const std::string&)> parse);

CLI::Option* add_tcb(CLI::App* app, const std::string& name, const std::string& help, TcbChange& into);

/// add_version reads MAJOR.MINOR.BUILD, each 0 to 255.
CLI::Option* add_version(CLI::App* app, const std::string& name, const std::string& help,
                         std::optional<snp::FirmwareVersion>& into);

template <class Target>
CLI::Option* add_product(CLI::App* app, Target& into) {
  return add_checked(app, "--product", "processor line: Milan, Genoa or Turin", "NAME",
                     [&into](const std::string& value) {
                       const auto product = product_named(value);
                       if (product) into = *product;
                       return std::string(product ? "" : "must be Milan, Genoa or Turin");
                     });
}

}  // namespace attestbed::sim
