// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/fetch_commands.h"

#include "kds-client/complete.h"

namespace attestbed::tools {
namespace {

std::string curl(const char* file, const std::string& target) {
  return std::string("curl -f -o ") + file + " '" + kds::kAmdUrl + target + "'";
}

}  // namespace

std::string fetch_vcek_command(const std::optional<snp::RawReport>& report) {
  constexpr auto kVlek = static_cast<std::uint32_t>(snp::SigningKey::vlek);
  if (report && snp::signing_key_bits(report->key_flags) == kVlek) {
    return "ask the machine's provider for its VLEK, which no KDS gives to others, and name it with --certs";
  }
  std::string command;
  if (report) {
    const auto requests = kds::vcek_requests(*report);
    if (requests) {
      for (const kds::Request& request : *requests) {
        command += (command.empty() ? "" : " || ") + curl("vcek.der", request.target());
      }
    }
  }
  if (command.empty()) command = curl("vcek.der", "/vcek/v1/<product>/<chip id>?<TCB>");
  return command + "   # then name vcek.der with --certs";
}

std::string fetch_crl_command(const std::optional<verify::Vek>& vek) {
  if (!vek) return {};
  return curl("crl.der", kds::crl_request(*vek).target()) + "   # then name crl.der with --crl";
}

}  // namespace attestbed::tools
