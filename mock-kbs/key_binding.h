// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/protocol/binding.h"
#include "mock-kbs/refuse.h"

// How REPORT_DATA binds a guest's key and the challenge. The text of kbs-sha384 is built here with another JSON library
// than the guest's, so that each side is the other's oracle.
namespace attestbed::kbs {

/// binding_text is what kbs-sha384 hashes: {"additional-evidence":"","nonce":N,"tee-pubkey":K} in the form of RFC 8785.
std::string binding_text(const protocol::GuestPublicKey& key, const protocol::Challenge& challenge);

/// binding_digest is the SHA-384 of binding_text: evidence of `sample` has these 48 octets, a report 16 zero octets
/// after them.
Checked<ByteArray<48>> binding_digest(const protocol::GuestPublicKey& key, const protocol::Challenge& challenge);

/// expected_report_data is REPORT_DATA under `binding`.
///   errors  key_unsupported for a key that does not go with the binding; internal
Checked<snp::ReportData> expected_report_data(protocol::Binding binding, const protocol::GuestPublicKey& key,
                                              const protocol::Challenge& challenge);

/// check_report_data compares. A refusal says if REPORT_DATA follows the other binding, which is what a guest or a
/// broker with the wrong configuration looks like.
///   errors  report_data_mismatch; those of expected_report_data
Checked<void> check_report_data(const snp::ReportData& found, protocol::Binding binding,
                                const protocol::GuestPublicKey& key, const protocol::Challenge& challenge);

}  // namespace attestbed::kbs
