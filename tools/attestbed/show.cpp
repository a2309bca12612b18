// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/verify/verified_report.h"
#include "tools/attestbed/certificate_files.h"
#include "tools/attestbed/describe.h"
#include "tools/attestbed/describe_guest_message.h"
#include "tools/attestbed/evidence.h"
#include "tools/attestbed/exit_code.h"
#include "tools/attestbed/subcommands.h"

namespace attestbed::tools {
namespace {

using nlohmann::ordered_json;

struct Options {
  std::string file, kind, vmpck;
  bool json = false;
};

constexpr char kFooter[] =
    "What the file is shows in its octets; --as KIND says so where they do not. A guest message's payload is "
    "encrypted:\n"
    "--vmpck opens it. Launch digests are computed step by step by `attestbed measure`.\n"
    "Nothing is verified: `attestbed verify` does that.\n"
    "Examples:\n"
    "  attestbed show report.bin\n"
    "  attestbed show vcek.der --json\n"
    "  attestbed show page.bin --vmpck vmpck0.bin\n";

using Described = verify::Checked<std::vector<ordered_json>>;

// No report begins with the octet of a DER SEQUENCE: that would be version 48.
bool looks_like_certificate(Bytes octets) {
  constexpr std::uint8_t kDerSequence = 0x30;
  return (!octets.empty() && octets.front() == kDerSequence) ||
         text_of(octets).find("-----BEGIN ") != std::string_view::npos;
}

Described describe_report(Bytes octets, const Options&) {
  const snp::RawReport report = TRY(verify::check_form(octets));
  return std::vector<ordered_json>{describe(report)};
}

Described describe_certificates(Bytes octets, const Options& options) {
  std::vector<ordered_json> all;
  const std::vector<verify::Certificate> certificates = TRY(verify::Certificate::parse(octets, options.file));
  for (const verify::Certificate& certificate : certificates) all.push_back(describe(certificate));
  return all;
}

/// read_vmpck reads the 32 octets of a key, and leaves none of them behind.
verify::Checked<snp::Vmpck> read_vmpck(const std::string& path) {
  constexpr std::size_t kKeyBytes = 32;
  std::vector<std::uint8_t> octets = TRY(read_file(path));
  if (octets.size() != kKeyBytes) {
    wipe(octets);
    return verify::Refusal{Errc::bad_length, verify::printable(path, 200), "32 octets, a VMPCK",
                           std::to_string(octets.size())};
  }
  snp::Vmpck key{std::span<const std::uint8_t, kKeyBytes>(octets)};
  wipe(octets);
  return key;
}

Described describe_message(Bytes octets, const Options& options) {
  if (options.vmpck.empty()) return describe_guest_message(octets, nullptr);
  const snp::Vmpck key = TRY(read_vmpck(options.vmpck));
  return describe_guest_message(octets, &key);
}

/// Kind is a kind of file; of several whose octets fit the first is meant. A report is what has no marks of its own.
struct Kind {
  const char* name;
  bool (*fits)(Bytes);
  Described (*describe)(Bytes, const Options&);
};
constexpr Kind kKinds[] = {
    {"certificate", looks_like_certificate, describe_certificates},
    {"guest-message", looks_like_guest_message, describe_message},
    {"report", [](Bytes) { return true; }, describe_report},
};

Described describe_file(const Options& options) {
  const std::vector<std::uint8_t> octets = TRY(read_file(options.file));
  const auto* const kind = std::ranges::find_if(
      kKinds, [&](const Kind& each) { return options.kind.empty() ? each.fits(octets) : options.kind == each.name; });
  if (!options.vmpck.empty() && std::string_view(kind->name) != "guest-message") {
    return verify::Refusal{Errc::bad_config, "--vmpck", "a guest message page", std::string("a ") + kind->name};
  }
  return kind->describe(octets, options);
}

int show(const Options& options) {
  const Described described = describe_file(options);
  if (!described) {
    std::fprintf(stderr, "attestbed show: %s\n", described.error().text().c_str());
    return exit_code_of(described.error());
  }
  std::string out;
  if (options.json) {
    out = (described->size() == 1 ? described->front() : ordered_json(*described)).dump(2) + "\n";
  } else {
    for (const ordered_json& each : *described) out += (out.empty() ? "" : "\n") + as_text(each);
  }
  std::fputs(out.c_str(), stdout);
  return kExitOk;
}

}  // namespace

void add_show(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("show", "Print what a report, certificate, table or guest message says");
  command
      ->add_option("FILE", options->file,
                   "A report, certificates in DER or PEM, a certificate table, or a guest message page")
      ->required();
  std::vector<std::string> kinds;
  for (const Kind& kind : kKinds) kinds.emplace_back(kind.name);
  command->add_option("--as", options->kind, "Take FILE for this kind of file, whatever its octets look like")
      ->check(CLI::IsMember(kinds));
  command->add_option("--vmpck", options->vmpck, "Open a guest message with the key in this file (32 octets)");
  command->add_flag("--json", options->json, "One JSON object (for several things an array); octets as hex");
  command->footer(kFooter);
  command->callback([options, &exit_code] { exit_code = show(*options); });
}

}  // namespace attestbed::tools
