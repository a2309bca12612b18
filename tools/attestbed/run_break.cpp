// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/run_break.h"

#include <algorithm>

namespace attestbed::tools {
namespace {

using std::chrono::seconds;

// clang-format off
constexpr BreakRow kRows[] = {
    {"measurement", "another image is launched than the one whose measurement the broker knows", Side::broker, Errc::measurement_unknown, Errc::attestation_refused,
     [](Inputs& inputs) { inputs.launched_image = "attestbed-another-guest"; }},
    {"nonce", "one bit of the challenge is flipped on its way to the guest, which binds and echoes what it got", Side::broker, Errc::report_data_mismatch, Errc::attestation_refused,
     [](Inputs& inputs) { inputs.tamper = Tamper::challenge; }},
    {"key", "the guest's public key is replaced by another valid one on its way to the proxy", Side::broker, Errc::report_data_mismatch, Errc::attestation_refused,
     [](Inputs& inputs) { inputs.tamper = Tamper::key; }},
    {"signature", "one bit of the report's signature is flipped on its way to the proxy", Side::broker, Errc::signature_invalid, Errc::attestation_refused,
     [](Inputs& inputs) { inputs.tamper = Tamper::signature; }},
    {"policy", "the guest is launched with a policy that lets the host debug it (bit 19)", Side::broker, Errc::debug_enabled, Errc::attestation_refused,
     [](Inputs& inputs) { inputs.policy = "b0000"; }},
    {"vmpl", "the guest asks for a report of VMPL 1", Side::broker, Errc::vmpl_too_high, Errc::attestation_refused,
     [](Inputs& inputs) { inputs.vmpl = 1; }},
    {"secret", "one bit of the sealed secret is flipped on its way to the guest", Side::guest, Errc::tag_failed, Errc::tag_failed,
     [](Inputs& inputs) { inputs.tamper = Tamper::ciphertext; }},
    {"params", "the host asks the guest to hash a challenge alone, and makes that challenge of its own key and the nonce", Side::guest, Errc::host_chosen_params, Errc::host_chosen_params,
     [](Inputs& inputs) { inputs.tamper = Tamper::params; }},
    {"firmware", "the host answers every guest request with BUSY; in a VM that takes about a minute", Side::guest, Errc::firmware_busy, Errc::firmware_busy,
     [](Inputs& inputs) { inputs.firmware_faults = "1+:busy"; inputs.guest_timeout = seconds(4); }},
    {"kbs-down", "nobody listens on the broker's port", Side::proxy, Errc::broker_unreachable, Errc::broker_unreachable,
     [](Inputs& inputs) { inputs.broker = BrokerType::absent; }},
    {"proxy-dies", "the proxy is killed between its two answers", Side::guest, Errc::closed, Errc::closed,
     [](Inputs& inputs) { inputs.tamper = Tamper::kill_proxy; }},
    {"timeout", "the broker takes connections and never answers", Side::proxy, Errc::broker_timeout, Errc::broker_timeout,
     [](Inputs& inputs) { inputs.broker = BrokerType::silent; inputs.proxy_timeout = seconds(2); }},
};
// clang-format on

std::string code_text(Errc code) {
  return "`" + std::string(error_name(code)) + "`";
}

}  // namespace

const char* side_name(Side side) {
  switch (side) {
    case Side::guest:
      return "guest";
    case Side::proxy:
      return "proxy";
    case Side::broker:
      return "broker";
  }
  return "";
}

const char* side_program(Side side) {
  switch (side) {
    case Side::guest:
      return "attest-guest";
    case Side::proxy:
      return "attest-proxy";
    case Side::broker:
      return "mock-kbs";
  }
  return "";
}

std::span<const BreakRow> break_rows() {
  return kRows;
}

const BreakRow* break_named(std::string_view what) {
  const auto* const row = std::ranges::find_if(kRows, [&](const BreakRow& each) { return what == each.what; });
  return row == std::end(kRows) ? nullptr : row;
}

std::string break_row_text(const BreakRow& row) {
  return "| `" + std::string(row.what) + "` | " + row.broken + " | " + side_name(row.noticed_by) + " | " +
         code_text(row.code) + " | " + code_text(row.guest_code) + " | " + std::to_string(row.guest_exit()) + " |";
}

std::string break_list(std::string_view without) {
  std::string text;
  for (const BreakRow& row : kRows) {
    const std::string name(row.what);
    if (name == without) continue;
    text += "  " + name + std::string(13 - name.size(), ' ') + row.broken + "\n" + std::string(15, ' ') + "the " +
            side_name(row.noticed_by) + " notices: " + error_name(row.code) + "; attest-guest exits " +
            std::to_string(row.guest_exit()) + " (" + error_name(row.guest_code) + ")\n";
  }
  return text;
}

}  // namespace attestbed::tools
