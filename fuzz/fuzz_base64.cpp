// SPDX-License-Identifier: Apache-2.0
// Property: every octet string has exactly one accepted text in each alphabet, and decoding in place changes nothing.
#include <algorithm>
#include <vector>

#include "core/base/base64.h"
#include "fuzz/must.h"

using namespace attestbed;

namespace {

std::vector<std::uint8_t> encode(Base64 alphabet, Bytes octets) {
  std::vector<std::uint8_t> memory(base64_encoded_size(alphabet, octets.size()));
  Writer out(memory);
  base64_encode(alphabet, octets, out);
  const Result<Bytes> text = out.finish("base64");
  fuzz::must(text && text->size() == memory.size(), "base64_encoded_size is exact");
  return memory;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Base64 alphabet = (data[0] & 1) != 0 ? Base64::standard : Base64::url;
  const Bytes input = Bytes(data, size).subspan(1);

  std::vector<std::uint8_t> apart(base64_max_decoded_size(input.size()));
  const Result<MutBytes> decoded = base64_decode(alphabet, input, apart, "text");
  std::vector<std::uint8_t> same(input.begin(), input.end());
  const Result<MutBytes> in_place = base64_decode(alphabet, same, same, "text");
  fuzz::must(decoded.has_value() == in_place.has_value(), "in place or apart, the verdict is the same");
  if (decoded) {
    fuzz::must(std::ranges::equal(*decoded, *in_place), "in place or apart, the octets are the same");
    fuzz::must(std::ranges::equal(encode(alphabet, *decoded), input), "the accepted text is the canonical one");
  }

  std::vector<std::uint8_t> text = encode(alphabet, input);
  const Result<MutBytes> back = base64_decode(alphabet, text, text, "text");
  fuzz::must(back && std::ranges::equal(*back, input), "what was encoded decodes to itself");
  return 0;
}
