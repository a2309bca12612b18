// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/verify/verified_report.h"
#include "sim/igvm.h"
#include "sim/page_list.h"
#include "tools/attestbed/certificate_files.h"
#include "tools/attestbed/certificate_table.h"
#include "tools/attestbed/describe.h"
#include "tools/attestbed/describe_certificate_table.h"
#include "tools/attestbed/describe_guest_message.h"
#include "tools/attestbed/exit_code.h"
#include "tools/attestbed/launch_steps.h"
#include "tools/attestbed/subcommands.h"

namespace attestbed::tools {
namespace {

using nlohmann::ordered_json;

struct Options {
  std::string file, kind, vmpck;
  bool json = false;
};

constexpr char kFooter[] =
    "What the file is shows in its octets; --as KIND says so where they do not. A guest message's payload is\n"
    "encrypted: --vmpck opens it. Of a page list or an IGVM file the launch digest is shown after each page; that of\n"
    "OVMF depends on more than its file: `attestbed measure --ovmf FILE --steps`.\n"
    "Nothing is verified: `attestbed verify` does that.\n"
    "Exit codes: 0 shown, 1 the file is malformed or the VMPCK does not open it, 2 usage, an IGVM file or page list\n"
    "that is malformed, 3 a file cannot be read or is too large.\n"
    "Examples:\n"
    "  attestbed show report.bin\n"
    "  attestbed show vcek.der --json\n"
    "  attestbed show page.bin --vmpck vmpck0.bin\n"
    "  attestbed show certs.bin --as certificate-table\n"
    "  attestbed show guest.txt\n";

using Descriptions = std::vector<ordered_json>;
using Described = verify::Checked<Descriptions>;

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
    return verify::Refusal{Errc::bad_config, "--vmpck " + verify::printable(path, 200), "32 octets, a VMPCK",
                           std::to_string(octets.size())};
  }
  snp::Vmpck key{std::span<const std::uint8_t, kKeyBytes>(octets)};
  wipe(octets);
  return key;
}

Described describe_table(Bytes octets, const Options& options) {
  return describe_certificate_table(octets, options.file);
}

Described describe_message(Bytes octets, const Options& options) {
  if (options.vmpck.empty()) return describe_guest_message(octets, nullptr);
  const snp::Vmpck key = TRY(read_vmpck(options.vmpck));
  return describe_guest_message(octets, &key);
}

// A page list is text; a report, a table or a page has octets that no text has.
bool looks_like_page_list(Bytes octets) {
  const auto is_text = [](std::uint8_t c) { return (c >= ' ' && c <= '~') || c == '\n' || c == '\r' || c == '\t'; };
  return !octets.empty() && std::ranges::all_of(octets, is_text);
}

bool looks_like_igvm(Bytes octets) {
  return text_of(octets).starts_with("IGVM");
}

sim::Outcome<Descriptions> describe_launch(const sim::LaunchImage& image) {
  LaunchSteps found = TRY(launch_steps(image, /*keep=*/true));
  ordered_json json{{"kind", "launch digest"},
                    {"measurement", verify::hex_text(found.measurement)},
                    {"pages", found.pages},
                    {"steps", std::move(found.steps)}};
  return Descriptions{std::move(json)};
}

sim::Outcome<Descriptions> describe_page_list(Bytes, const Options& options) {
  const sim::LaunchImage image = TRY(sim::load_page_list(options.file));
  return describe_launch(image);
}

sim::Outcome<Descriptions> describe_igvm(Bytes octets, const Options& options) {
  const sim::LaunchImage image = TRY(sim::igvm_image(sim::ImageFile(options.file, octets)));
  return describe_launch(image);
}

sim::Failure failure_of(const verify::Refusal& refusal) {
  return {refusal.code, refusal.field + ": expected " + refusal.expected + ", found " + refusal.found};
}

template <Described (*Describe)(Bytes, const Options&)>
sim::Outcome<Descriptions> checked(Bytes octets, const Options& options) {
  Described described = Describe(octets, options);
  if (!described) return failure_of(described.error());
  return *std::move(described);
}

/// Kind is a kind of file; of several whose octets fit the first is meant. A report is what has no marks of its own.
struct Kind {
  const char* name;
  bool (*fits)(Bytes);
  sim::Outcome<Descriptions> (*describe)(Bytes, const Options&);
  std::size_t max_octets = kMaxInputBytes;
};
constexpr Kind kKinds[] = {
    {"certificate-table", looks_like_certificate_table, checked<describe_table>},
    {"certificate", looks_like_certificate, checked<describe_certificates>},
    {"guest-message", looks_like_guest_message, checked<describe_message>},
    {"igvm", looks_like_igvm, describe_igvm, sim::kMaxIgvmBytes},
    {"page-list", looks_like_page_list, describe_page_list, sim::kMaxPageListBytes},
    {"report", [](Bytes) { return true; }, checked<describe_report>},
};

const Kind& kind_of(Bytes octets, const Options& options) {
  return *std::ranges::find_if(
      kKinds, [&](const Kind& each) { return options.kind.empty() ? each.fits(octets) : options.kind == each.name; });
}

/// max_octets is how much of the file is read: of IGVM alone there may be more than of anything else.
std::size_t max_octets(const Options& options) {
  std::string head;
  std::error_code ignored;
  if (options.kind.empty() && std::filesystem::is_regular_file(options.file, ignored)) {
    head.resize(4);
    std::ifstream(options.file, std::ios::binary).read(head.data(), static_cast<std::streamsize>(head.size()));
    if (!looks_like_igvm(bytes_of(head))) return kMaxInputBytes;
  }
  return kind_of(bytes_of(head), options).max_octets;
}

sim::Outcome<Descriptions> describe_file(const Options& options) {
  const verify::Checked<std::vector<std::uint8_t>> octets = read_file(options.file, max_octets(options));
  if (!octets) return failure_of(octets.error());
  const Kind& kind = kind_of(*octets, options);
  if (!options.vmpck.empty() && std::string_view(kind.name) != "guest-message") {
    return sim::Failure{Errc::bad_config, "--vmpck: expected a guest message page, found a " + std::string(kind.name)};
  }
  return kind.describe(*octets, options);
}

int show(const Options& options) {
  const sim::Outcome<Descriptions> described = describe_file(options);
  if (!described) return refuse_to_begin("show", described.error());
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
  CLI::App* command =
      app.add_subcommand("show", "Print what a report, certificate, table, guest message or launch says");
  command
      ->add_option(
          "FILE", options->file,
          "A report, certificates (DER or PEM), a certificate table, a guest message page, a page list or an IGVM file")
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
