// SPDX-License-Identifier: Apache-2.0
// Property: what a proxy accepts it can say again with the same meaning, and a resource path that it accepts is one
// that a URL carries without escapes and that leads nowhere else.
#include <algorithm>
#include <vector>

#include "core/protocol/frame.h"
#include "core/protocol/negotiation.h"
#include "fuzz/must.h"

using namespace attestbed;
using namespace attestbed::protocol;

namespace {

bool is_plain_path(std::string_view path) {
  constexpr std::string_view kUnreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._";
  return path.size() <= kMaxResourcePathBytes && std::ranges::count(path, '/') == 2 && !path.starts_with('/') &&
         !path.ends_with('/') && !path.starts_with('.') && path.find("//") == std::string_view::npos &&
         path.find("/.") == std::string_view::npos &&
         std::ranges::all_of(path, [&](char c) { return c == '/' || kUnreserved.find(c) != std::string_view::npos; });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::uint8_t> text(data, data + size), again(kMaxFrameBytes);
  const Result<NegotiationRequest> request = decode_negotiation_request(text);
  if (!request) return 0;
  if (request->terms) fuzz::must(is_plain_path(request->terms->resource.text()), "an accepted path is plain");

  const Result<Bytes> encoded = encode_negotiation_request(*request, again);
  fuzz::must(bool(encoded), "what was decoded can be encoded");
  const Result<NegotiationRequest> same = decode_negotiation_request(MutBytes(again).first(encoded->size()));
  fuzz::must(same && same->version == request->version && same->tee == request->tee, "version and tee survive");
  fuzz::must(same->terms.value_or(Terms{}) == request->terms.value_or(Terms{}), "the terms survive");
  return 0;
}
