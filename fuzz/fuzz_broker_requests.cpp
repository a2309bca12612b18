// SPDX-License-Identifier: Apache-2.0
// Property: a broker takes a body only if core's own JSON reader finds it well formed too, and what it takes out of a
// POST /attest, written again by the proxy's encoder, is taken again the same; a refusal is fit for a log. The first
// octet chooses /auth or /attest.
#include <algorithm>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "fuzz/must.h"
#include "mock-kbs/messages.h"
#include "proxy/kbs_messages.h"

using namespace attestbed;
using fuzz::must;

namespace {

// core bounds members where the broker bounds values: beyond that bound it may say no where the broker says yes.
bool core_reads(std::string_view body) {
  std::vector<std::uint8_t> copy(body.begin(), body.end());
  JsonReader reader(copy);
  const Status skipped = reader.skip();
  if (!skipped) return skipped.error().code == Errc::json_depth;
  return reader.done().has_value();
}

void check_refusal(const kbs::Refusal& refusal) {
  for (const std::string* text : {&refusal.field, &refusal.expected, &refusal.found}) {
    must(text->size() <= 512, "a refusal is short");
    must(std::ranges::all_of(*text, [](char c) { return c >= ' ' && c <= '~'; }), "and printable");
  }
}

void check_attest(std::string_view body) {
  const auto request = kbs::decode_attest_request(body);
  if (!request) return check_refusal(request.error());
  must(core_reads(body), "what the broker takes is JSON to core");
  const kbs::Evidence& evidence = request->evidence;
  if (protocol::is_ec(request->key.type)) must(bool(crypto::ec_check(request->key.ec)), "the key is a point");
  must(evidence.certs.size() <= kbs::kMaxCertsBufBytes, "certificates are bounded");
  must(evidence.chain.size() <= kbs::kMaxChainCertificates, "and so is a chain");
  // The proxy writes svsm-sha512 with the one key that it goes with; what the others have is in the broker's own tests.
  if (evidence.kind != kbs::EvidenceKind::snp_report || request->key.type != protocol::KeyType::p521) return;
  const auto text = proxy::kbs::attest_request(
      request->nonce, {.report = evidence.report, .certs = evidence.certs, .challenge = {}, .key = request->key},
      protocol::Binding::svsm_sha512);
  must(bool(text), "raw octets always travel");
  const auto again = kbs::decode_attest_request(*text);
  must(again && again->nonce == request->nonce && again->key == request->key &&
           again->evidence.report == evidence.report && again->evidence.certs == evidence.certs,
       "it survives");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view body = text_of(Bytes(data, size).subspan(1));
  if (data[0] % 2 != 0) {
    check_attest(body);
    return 0;
  }
  const auto checked = kbs::decode_auth_request(body);
  if (!checked) check_refusal(checked.error());
  must(!checked || core_reads(body), "what the broker takes is JSON to core");
  return 0;
}
