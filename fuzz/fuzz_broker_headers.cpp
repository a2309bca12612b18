// SPDX-License-Identifier: Apache-2.0
// Property: a session cookie is 32 hex digits that stand behind its name, once; a bearer token is a part of its header
// without blanks around it; and the only text that passes for a token of this broker is the one that it issued: the
// input replaces octets of it (at:2 xor:1 …), or is the whole text. The first octet chooses.
#include <algorithm>

#include "core/base/reader.h"
#include "core/base/wire.h"
#include "fuzz/amd_samples.h"
#include "fuzz/must.h"
#include "mock-kbs/http_text.h"
#include "mock-kbs/token.h"
#include "sim/seeded_entropy.h"

using namespace attestbed;
using fuzz::must;

namespace {

constexpr std::string_view kCookie = "kbs-session-id";

void check_cookie(std::string_view header) {
  const auto cookie = kbs::find_cookie(header, kCookie, 32);
  if (!cookie) return;
  must(cookie->size() == 32 && cookie->find_first_not_of("0123456789abcdef") == std::string::npos, "32 hex digits");
  must(header.find(std::string(kCookie) + "=" + *cookie) != std::string_view::npos, "behind the name");
}

void check_bearer(std::string_view header) {
  const std::string_view token = kbs::bearer_token(header);
  if (token.empty()) return;
  must(token.data() > header.data() && token.data() + token.size() <= header.data() + header.size(), "a part of it");
  must(token.find_first_of(" \t") != 0 && token.find_last_of(" \t") != token.size() - 1, "without blanks around it");
}

struct Issued {
  kbs::TokenIssuer issuer;
  std::string token;
  protocol::GuestPublicKey key;
};

verify::VerifiedReport sample_report() {
  for (const std::string& octets : fuzz::amd_samples().reports) {
    const auto report = verify::check_form(bytes_of(octets).first(std::min(octets.size(), snp::kReportBytes)));
    if (!report) continue;
    for (const verify::Vek& vek : fuzz::amd_samples().veks) {
      auto verified = verify::verify_report(*report, vek);
      if (verified) return *std::move(verified);
    }
  }
  must(false, "a sample verifies");
  std::abort();
}

Issued issue() {
  sim::SeededEntropy entropy(1, "fuzz_broker_headers");
  crypto::EcKey guest;
  must(bool(guest.generate(crypto::Curve::p521, entropy)), "a key");
  auto issuer = kbs::TokenIssuer::make(entropy, std::chrono::seconds(300));
  must(bool(issuer), "an issuer");
  const kbs::Accepted accepted{sample_report(), std::make_shared<kbs::ReferenceEntry>(), {}, {}};
  const auto challenge = protocol::Challenge::make(ByteArray<32>{7});
  const auto key = protocol::GuestPublicKey::of(guest.point());
  auto token = issuer->issue({.accepted = accepted, .key = key, .challenge = *challenge}, fuzz::kSampleTime);
  must(bool(token), "a token");
  return {*std::move(issuer), *std::move(token), key};
}

void check_token(Bytes input, bool edits) {
  static const Issued& issued = *new Issued(issue());
  std::string token = edits ? issued.token : std::string(text_of(input));
  for (Reader edit(input); edits && edit.left() >= 3;) {
    const std::size_t at = *edit.copy<le16>("at");
    const std::uint8_t mask = (*edit.copy<ByteArray<1>>("mask"))[0];
    token[at % token.size()] = static_cast<char>(token[at % token.size()] ^ mask);
  }
  const auto grant = issued.issuer.check(token, fuzz::kSampleTime);
  must(grant.has_value() == (token == issued.token), "the issued token passes, and nothing else");
  must(!grant || grant->key == issued.key, "for the key that it was issued to");
  must(!issued.issuer.check(token, fuzz::kSampleTime + std::chrono::seconds(300)), "and not for ever");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Bytes input = Bytes(data, size).subspan(1);
  switch (data[0] % 4) {
    case 0:
      check_cookie(text_of(input));
      break;
    case 1:
      check_bearer(text_of(input));
      break;
    default:
      check_token(input, data[0] % 4 == 2);
  }
  return 0;
}
