// SPDX-License-Identifier: Apache-2.0
// Property: JsonReader and nlohmann::json accept the same texts with the same values, but for what JsonReader refuses
// on purpose: depth, member count, duplicates. And what JsonWriter escapes, nlohmann reads back.
#include <nlohmann/json.hpp>
#include <set>

#include "core/base/json.h"
#include "fuzz/must.h"

using namespace attestbed;
using Json = nlohmann::json;

namespace {

// What the oracle saw: its value, and whether the text breaks one of our bounds.
struct Oracle {
  enum class Verdict { valid, invalid, cannot_say } verdict = Verdict::invalid;
  Json value;
  bool too_deep = false, duplicate = false;
};

Oracle ask_oracle(std::string_view text) {
  Oracle oracle;
  // nlohmann takes a NUL for the end of the text and skips a byte order mark; RFC 8259 allows neither in a text.
  if (text.find('\0') != std::string_view::npos || text.starts_with("\xef\xbb\xbf")) {
    oracle.verdict = Oracle::Verdict::cannot_say;
    return oracle;
  }
  std::vector<std::set<std::string>> names;  // of the open containers; arrays have none
  const auto watch = [&](int, Json::parse_event_t event, Json& parsed) {
    using Event = Json::parse_event_t;
    if (event == Event::object_start || event == Event::array_start) {
      names.emplace_back();
      oracle.too_deep |= names.size() > kMaxJsonDepth;
    } else if (event == Event::object_end || event == Event::array_end) {
      names.pop_back();
    } else if (event == Event::key) {
      oracle.duplicate |= !names.back().insert(parsed.get<std::string>()).second;
      oracle.too_deep |= names.back().size() > kMaxJsonMembers;
    }
    return true;
  };
  try {
    oracle.value = Json::parse(text, watch);
    oracle.verdict = Oracle::Verdict::valid;
  } catch (const Json::out_of_range&) {
    oracle.verdict = Oracle::Verdict::cannot_say;  // a number beyond double is legal JSON all the same
  } catch (const Json::exception&) {
    oracle.verdict = Oracle::Verdict::invalid;
  }
  return oracle;
}

void check_writer(std::string_view text) {
  std::vector<std::uint8_t> memory(6 * text.size() + 2);
  Writer out(memory);
  JsonWriter(out).string(text);
  const Result<Bytes> written = out.finish("string");
  fuzz::must(written && Json::parse(text_of(*written)) == text, "an escaped string reads back");
}

// read compares one value with the oracle's, part by part.
Status read(JsonReader& json, const Json& wanted) {
  switch (TRY(json.kind())) {
    case JsonKind::object: {
      JsonReader::Object object = TRY(json.object("object"));
      std::size_t members = 0;
      while (const auto name = TRY(object.next())) {
        const std::string key(*name);
        fuzz::must(wanted.is_object() && wanted.contains(key), "the oracle has this member");
        TRY(read(json, wanted[key]));
        ++members;
      }
      fuzz::must(members == wanted.size(), "no member of the oracle's is missing");
      return ok();
    }
    case JsonKind::array: {
      JsonReader::Array array = TRY(json.array("array"));
      std::size_t at = 0;
      while (TRY(array.next())) {
        fuzz::must(wanted.is_array() && at < wanted.size(), "the oracle has this element");
        TRY(read(json, wanted[at++]));
      }
      fuzz::must(at == wanted.size(), "no element of the oracle's is missing");
      return ok();
    }
    case JsonKind::string: {
      const MutBytes text = TRY(json.string("string"));
      fuzz::must(wanted == text_of(text), "the same string");
      check_writer(text_of(text));
      return ok();
    }
    case JsonKind::number: {
      JsonReader trial = json;
      const Result<std::uint64_t> number = trial.unsigned_integer(UINT64_MAX, "number");
      fuzz::must(wanted.is_number() && number.has_value() == wanted.is_number_unsigned(), "the same kind of number");
      fuzz::must(!number || wanted == *number, "the same number");
      return json.skip();
    }
    case JsonKind::boolean: {
      const bool value = TRY(json.boolean("boolean"));
      fuzz::must(wanted == value, "the same truth");
      return ok();
    }
    case JsonKind::null:
      fuzz::must(wanted.is_null(), "the same nothing");
      return json.null("null");
  }
  return Error{Errc::internal, "kind"};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Oracle oracle = ask_oracle(text_of({data, size}));

  std::vector<std::uint8_t> text(data, data + size);
  JsonReader skipping(text);
  Status skipped = skipping.skip();
  if (skipped) skipped = skipping.done();
  if (oracle.verdict == Oracle::Verdict::cannot_say) return 0;
  if (!skipped) {
    const Errc code = skipped.error().code;
    const bool on_purpose =
        (code == Errc::json_depth && oracle.too_deep) || (code == Errc::json_duplicate && oracle.duplicate);
    fuzz::must(on_purpose || oracle.verdict == Oracle::Verdict::invalid, "refused, so the oracle refuses it too");
    return 0;
  }
  fuzz::must(oracle.verdict == Oracle::Verdict::valid, "accepted, so the oracle accepts it too");
  fuzz::must(!oracle.too_deep && !oracle.duplicate, "accepted, so within the bounds");

  std::copy(data, data + size, text.begin());
  JsonReader json(text);
  Status same = read(json, oracle.value);
  if (same) same = json.done();
  fuzz::must(bool(same), "what can be skipped can be read");
  return 0;
}
