// SPDX-License-Identifier: Apache-2.0
// Property: a guest goes on only with the fixed params, a challenge of 16 to 64 octets and, if it stated terms, their
// exact echo; nlohmann reads the same out of the text. What a host says in an error is fit to print.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/protocol/frame.h"
#include "core/protocol/negotiation.h"
#include "fuzz/must.h"

using namespace attestbed;
using namespace attestbed::protocol;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  Terms stated;
  stated.resource = *ResourcePath::parse("tenant-1/disk/root.key", "stated");
  const Terms* terms = (data[0] & 1) != 0 ? &stated : nullptr;
  std::vector<std::uint8_t> text(data + 1, data + size), again(kMaxFrameBytes);
  const auto oracle = nlohmann::json::parse(text, nullptr, false);

  const Result<NegotiationResponse> response = decode_negotiation_response(text, terms);
  if (!response) return 0;
  const bool judged = !oracle.is_discarded();  // nlohmann refuses numbers beyond double, wherever they are
  fuzz::must(response->challenge.has_value() != response->error.has_value(), "either a challenge or an error");
  if (response->error) {
    fuzz::must(std::ranges::all_of(response->error->detail(), [](char c) { return c >= ' ' && c <= '~'; }),
               "the host's words are printable ASCII");
    fuzz::must(error_row(response->error->code).on_wire, "the host's code is one that a proxy may send");
  } else {
    const std::size_t length = response->challenge->octets().size();
    fuzz::must(length >= kMinChallengeBytes && length <= kMaxChallengeBytes, "the challenge has its length");
    fuzz::must(!judged || oracle["params"] == nlohmann::json({"EcPublicKeyBytes", "Challenge"}),
               "the params are the fixed ones");
    fuzz::must(terms == nullptr || (response->accepted && *response->accepted == stated), "the stated terms came back");
    fuzz::must(!judged || terms == nullptr || oracle["ext"]["accepted"]["resource"] == stated.resource.text(),
               "and in the text");
  }

  const Result<Bytes> encoded = encode_negotiation_response(*response, again);
  fuzz::must(bool(encoded), "what was decoded can be encoded");
  const auto same = decode_negotiation_response(MutBytes(again).first(encoded->size()), terms);
  fuzz::must(same && same->challenge == response->challenge && same->accepted == response->accepted, "and survives");
  return 0;
}
