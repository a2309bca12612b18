// SPDX-License-Identifier: Apache-2.0
// Property: words that parse read the same from their printed form and are within their bounds; words that do not are
// refused with a reason and a remedy in printable characters. The input is guest.conf, and after its first zero octet
// the command line.
#include <algorithm>

#include "core/base/bytes.h"
#include "fuzz/must.h"
#include "guest/init/words.h"

using namespace attestbed;
using namespace attestbed::guest;

namespace {

bool is_printable(const std::string& text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = text_of(Bytes(data, size));
  const std::size_t cut = std::min(text.find('\0'), text.size());
  const std::string_view line = text.substr(std::min(cut + 1, text.size()));
  const ParsedWords parsed = parse_words(text.substr(0, cut), line);
  if (parsed.failure) {
    fuzz::must(parsed.failure->error.code == Errc::bad_config, "a bad word is a mistake of configuration");
    fuzz::must(is_printable(parsed.failure->text) && is_printable(parsed.failure->remedy), "an error is printable");
    return 0;
  }
  const Words& words = parsed.words;
  fuzz::must(words.secret_auth_none, "nothing goes without a word about whose secret it is");
  fuzz::must(words.timeout >= std::chrono::seconds(1) && words.timeout <= std::chrono::hours(24), "a bounded time");
  fuzz::must(words.vmpl <= 3, "a VMPL");
  fuzz::must(words.line.type != LineWord::Type::uart || (words.line.base >= 1 && words.line.base <= 0xfff8),
             "eight ports from the base on");
  const ParsedWords again = parse_words(words_text(words), "");
  fuzz::must(!again.failure && again.words == words, "printed words read the same");
  return 0;
}
