// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/bounded_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

namespace attestbed::kbs {
namespace {

using nlohmann::json;

// Judges a text without building it. Returning false ends the parse at once.
class ShapeJudge final : public json::json_sax_t {
 public:
  ShapeJudge(const char* where, std::size_t max_values) : where_(where), max_values_(max_values) {}

  bool null() override { return value(); }
  bool boolean(bool) override { return value(); }
  bool number_integer(number_integer_t) override { return value(); }
  bool number_unsigned(number_unsigned_t) override { return value(); }
  bool number_float(number_float_t, const string_t&) override { return value(); }
  bool string(string_t&) override { return value(); }
  bool binary(binary_t&) override { return value(); }
  bool start_object(std::size_t) override { return open(); }
  bool start_array(std::size_t) override { return open(); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    if (names_.back().insert(name).second) return true;
    return refuse(
        {Errc::json_duplicate, where_, "each member once", "member \"" + verify::printable(name, 64) + "\" twice"});
  }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    return refuse(
        {Errc::bad_json, where_, "JSON (RFC 8259) in UTF-8", "an error at octet " + std::to_string(position)});
  }

  const std::optional<Refusal>& refusal() const { return refusal_; }

 private:
  bool value() {
    if (++values_ <= max_values_) return true;
    return refuse({Errc::json_depth, where_, "at most " + std::to_string(max_values_) + " values", "more"});
  }
  bool open() {
    if (!value()) return false;
    names_.emplace_back();
    if (names_.size() <= kMaxJsonNesting) return true;
    return refuse({Errc::json_depth, where_, "depth at most " + std::to_string(kMaxJsonNesting), "deeper"});
  }
  bool close() {
    names_.pop_back();
    return true;
  }
  bool refuse(Refusal refusal) {
    refusal_ = std::move(refusal);
    return false;
  }

  const char* where_;
  const std::size_t max_values_;
  std::size_t values_ = 0;
  std::vector<std::set<std::string, std::less<>>> names_;  // of each open container; empty for arrays
  std::optional<Refusal> refusal_;
};

}  // namespace

Checked<json> parse_json(std::string_view text, const char* where, std::size_t max_values) {
  ShapeJudge judge(where, max_values);
  const bool sound = json::sax_parse(text, &judge);
  if (judge.refusal()) return *judge.refusal();
  json value = sound ? json::parse(text, nullptr, /*allow_exceptions=*/false) : json(json::value_t::discarded);
  if (value.is_discarded()) return Refusal{Errc::bad_json, where, "JSON (RFC 8259) in UTF-8", "something else"};
  return value;
}

Checked<Members> Members::of(const json& value, std::string path) {
  if (!value.is_object()) return Refusal{Errc::json_type, std::move(path), "an object", value.type_name()};
  return Members(value, std::move(path));
}

std::string Members::path_of(const char* name) const {
  return path_.empty() ? name : path_ + "." + name;
}

const json* Members::find(const char* name) const {
  const auto at = object_->find(name);
  return at == object_->end() ? nullptr : &*at;
}

Checked<const json*> Members::required(const char* name) const {
  const json* value = find(name);
  if (value == nullptr) return Refusal{Errc::json_missing, path_of(name), "the member", "none"};
  return value;
}

Checked<std::string_view> Members::text(const char* name) const {
  const json* value = TRY(required(name));
  if (!value->is_string()) return Refusal{Errc::json_type, path_of(name), "a string", value->type_name()};
  return std::string_view(value->get_ref<const std::string&>());
}

Checked<Members> Members::object(const char* name) const {
  const json* value = TRY(required(name));
  return of(*value, path_of(name));
}

Checked<bool> Members::flag(const char* name) const {
  const json* value = find(name);
  if (value == nullptr) return false;
  if (value->is_boolean()) return value->get<bool>();
  return Refusal{Errc::json_type, path_of(name), "true or false", value->type_name()};
}

Checked<std::vector<std::string>> Members::texts(const char* name) const {
  const json* list = TRY(required(name));
  const Refusal wrong{Errc::json_type, path_of(name), "a list of strings", list->type_name()};
  if (!list->is_array()) return wrong;
  std::vector<std::string> texts;
  for (const json& item : *list) {
    if (!item.is_string()) return wrong;
    texts.push_back(item.get<std::string>());
  }
  return texts;
}

Checked<void> Members::only(std::initializer_list<std::string_view> names) const {
  for (const auto& [name, value] : object_->items()) {
    if (std::ranges::find(names, name) != names.end()) continue;
    std::string expected;
    for (const std::string_view known : names) expected += (expected.empty() ? "" : ", ") + std::string(known);
    return Refusal{Errc::bad_value, path_.empty() ? "body" : path_, std::move(expected), verify::printable(name, 64)};
  }
  return {};
}

}  // namespace attestbed::kbs
