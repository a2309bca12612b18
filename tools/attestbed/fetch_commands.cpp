// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/fetch_commands.h"

#include "kds-client/complete.h"
#include "tools/attestbed/explain_causes.h"

namespace attestbed::tools {
namespace {

constexpr char kServe[] = "snp-sim kds --listen 127.0.0.1:8088 --ca CA-DIRECTORY";
constexpr char kServed[] = "--kds http://127.0.0.1:8088";

std::string url_of(const FetchFrom& from) {
  return from.kds.empty() ? kds::kAmdUrl : from.kds;
}

/// ca_directory_only holds where no KDS that is known here can have an answer.
bool ca_directory_only(const FetchFrom& from) {
  return from.simulated && from.kds.empty();
}

std::string serve_it() {
  return std::string("serve the directory of `snp-sim certs`: ") + kServe + "   # and " + kServed;
}

// The address is quoted whatever it is: it may have angle brackets and, of the user's KDS, any octets.
std::string curl(const char* file, const FetchFrom& from, const std::string& target) {
  return std::string("curl -f -o ") + file + " " + shell_words({url_of(from) + target});
}

bool signed_by_vlek(const std::optional<snp::RawReport>& report) {
  constexpr auto kVlek = static_cast<std::uint32_t>(snp::SigningKey::vlek);
  return report && snp::signing_key_bits(report->key_flags) == kVlek;
}

/// product_text is the product's name where the report says it: version 2 does not.
std::string product_text(const std::optional<snp::RawReport>& report) {
  constexpr std::uint32_t kFirstVersionWithCpuid = 3;
  constexpr char kUnknown[] = "<product>";
  if (!report || report->version < kFirstVersionWithCpuid) return kUnknown;
  const Result<snp::Product> product = snp::product_of(report->cpuid_family, report->cpuid_model);
  return product ? snp::product_name(*product) : kUnknown;
}

}  // namespace

std::string fetch_vcek_command(const FetchFrom& from, const std::optional<snp::RawReport>& report) {
  if (signed_by_vlek(report)) {
    return from.simulated ? "name the directory of `snp-sim certs` with --certs: its vlek/ has the VLEK"
                          : "ask the machine's provider for its VLEK, which no KDS gives to others, and name it with "
                            "--certs";
  }
  if (ca_directory_only(from)) {
    return "name the directory of `snp-sim certs` that `snp-sim report --ca` was given with --certs, or " + serve_it();
  }
  std::string command;
  if (report) {
    const auto requests = kds::vcek_requests(*report);
    if (requests) {
      for (const kds::Request& request : *requests) {
        command += (command.empty() ? "" : " || ") + curl("vcek.der", from, request.target());
      }
    }
  }
  if (command.empty()) command = curl("vcek.der", from, "/vcek/v1/" + product_text(report) + "/<chip id>?<TCB>");
  return command + "   # then name vcek.der with --certs";
}

std::string fetch_crl_command(const FetchFrom& from, const std::optional<verify::Vek>& vek) {
  if (!vek) return {};
  if (ca_directory_only(from)) return "name ark.crl of the directory of `snp-sim certs` with --crl, or " + serve_it();
  return curl("crl.der", from, kds::crl_request(*vek).target()) + "   # then name crl.der with --crl";
}

std::string try_kds_command(const FetchFrom& from, const std::optional<snp::RawReport>& report) {
  return "curl " + shell_words({url_of(from) + "/vcek/v1/" + product_text(report) + "/cert_chain"}) +
         "   # should print two PEM certificates";
}

std::string kds_options(const FetchFrom& from) {
  if (ca_directory_only(from)) return std::string(kServed) + " (of `" + kServe + "`)";
  return "--kds " + (from.kds.empty() ? "amd" : shell_words({from.kds}));
}

std::string another_kds(const FetchFrom& from) {
  if (from.simulated) return "see that the KDS has this chip's own CA: " + std::string(kServe) + "   # and " + kServed;
  if (from.kds.empty()) return "find out who made this report: AMD knows every chip that it sold";
  return "ask AMD's own: --kds amd";
}

}  // namespace attestbed::tools
