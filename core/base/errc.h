// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace attestbed {

/// Errc names every way in which something can go wrong, across all programs. Append-only: a code keeps its number and
/// its name for ever, because logs, `ext.error` on the wire and scripts quote it. docs/errors.md shows the same table
/// and a test keeps both equal.
enum class Errc : std::uint16_t {
  // Bytes that do not parse.
  truncated = 1,
  trailing_bytes,
  too_large,
  bad_length,
  bad_value,
  reserved_set,
  unsupported_version,
  bad_base64,
  bad_json,
  json_depth,
  json_duplicate,
  json_type,
  json_missing,
  no_space,
  // Configuration and the program itself.
  bad_config,
  io_failed,
  internal,
  // The line between guest and proxy.
  deadline,
  closed,
  transport,
  frame_empty,
  frame_too_large,
  // What the guest refuses from its host.
  host_chosen_params,
  host_chosen_challenge,
  ext_not_honoured,
  contradiction,
  bad_point,
  jwe_header,
  jwe_epk_mismatch,
  unwrap_failed,
  tag_failed,
  empty_secret,
  // Firmware, as the guest sees it.
  firmware_unreachable,
  firmware_busy,
  firmware_refused,
  firmware_status,
  firmware_reply,
  vmpck_lost,
  // What proxy and broker tell a guest (the codes of ext.error).
  refused,
  version_unsupported,
  tee_unsupported,
  malformed_request,
  challenge_mismatch,
  resource_refused,
  attestation_refused,
  secret_refused,
  secret_too_large,
  broker_unreachable,
  broker_timeout,
  broker_malformed,
  broker_nonce,
  broker_version,
  session_expired,
  proxy_busy,
  proxy_stopping,
  proxy_internal,
  // Verification of a report and its endorsements.
  report_version,
  report_reserved,
  report_policy_bits,
  report_unsigned,
  product_unknown,
  certificate_malformed,
  certificate_missing,
  root_untrusted,
  chain_signature,
  chain_constraint,
  chain_expired,
  chain_not_yet_valid,
  vek_name,
  vek_extension,
  tcb_mismatch,
  tcb_order,
  chip_id_mismatch,
  signature_invalid,
  // Appraisal of a verified report.
  vmpl_too_high,
  debug_enabled,
  policy_mismatch,
  measurement_unknown,
  report_data_mismatch,
  host_data_mismatch,
  tcb_too_low,
  product_refused,
  // The broker's session rules.
  session_missing,
  session_unknown,
  nonce_mismatch,
  nonce_used,
  key_unsupported,
  resource_unknown,
  evidence_shape,
  // Verification again.
  product_mismatch,
  // What proxy and broker tell a guest, again.
  terms_refused,
  guest_timeout,
  // The broker's tokens.
  token_invalid,
  token_expired,
  // Lines, and who may use them how often.
  line_noise,
  uart_absent,
  uart_overrun,
  vsock_unavailable,
  attempts_exhausted,
  // What proxy and broker tell a guest, once more.
  broker_unavailable,
  // What is launched.
  image_malformed,
  kernel_hashes_missing,
  // Revocation, and the KDS.
  crl_missing,
  crl_malformed,
  crl_signature,
  crl_expired,
  certificate_revoked,
  kds_unreachable,
  kds_untrusted,
  kds_timeout,
  kds_unknown,
  kds_busy,
  kds_malformed,
  kds_offline,
  kds_chip_masked,
  // What a policy demands of a verified report, beyond the first ones above.
  signing_key_refused,
  chip_refused,
  chip_id_masked,
  platform_refused,
  report_too_old,
  firmware_too_old,
  firmware_provisional,
  mitigation_missing,
  guest_svn_too_low,
  identity_mismatch,
  id_key_untrusted,
  author_key_untrusted,
  // What a report says of itself that does not fit together.
  report_contradiction,
  launch_policy_broken,
  // Virtual machines.
  snp_unavailable,
  // What the KDS says of itself.
  kds_failed,
};

/// ErrorRow is one line of the table.
///   name        the code as logs, JSON and `ext.error.code` spell it
///   guest_exit  exit status of attest-guest when this code ends an attempt: 1 refused, 2 usage, 3 transport,
///               4 firmware, 5 protocol violation by the host
///   on_wire     true if a proxy may send the code in `ext.error.code`
///   meaning     what was wrong
///   remedy      what to do next
struct ErrorRow {
  Errc code;
  const char* name;
  std::uint8_t guest_exit;
  bool on_wire;
  const char* meaning;
  const char* remedy;
};

/// error_row returns the row of `code`; every enumerator has one.
const ErrorRow& error_row(Errc code);

/// error_rows returns the table: `count` rows in the order of the enumeration.
struct ErrorRows {
  const ErrorRow* first;
  std::size_t count;
  const ErrorRow* begin() const { return first; }
  const ErrorRow* end() const { return first + count; }
};
ErrorRows error_rows();

/// file_remedy is the row's remedy, where the code may be about a frame or a file and is known to be about a file that
/// somebody named: no peer and no protocol is at fault then.
const char* file_remedy(Errc code);

/// wire_error_named finds the code that a proxy may send under this name; null if there is none.
const ErrorRow* wire_error_named(std::string_view name);

inline const char* error_name(Errc code) {
  return error_row(code).name;
}

}  // namespace attestbed
