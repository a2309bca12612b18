// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "mock-kbs/refuse.h"

namespace attestbed::kbs {

/// Bounds of every JSON text that a peer sends; a legal message has depth 5 and fewer than 50 values, but for evidence
/// in Trustee's structure: there every octet of report and certificates is a value.
inline constexpr std::size_t kMaxJsonNesting = 8;
inline constexpr std::size_t kMaxJsonValues = 256;
inline constexpr std::size_t kMaxEvidenceValues = 64 * 1024;

/// parse_json reads one RFC 8259 text. Form, depth, number of values and duplicate members are judged by a pass that
/// builds nothing, so a hostile text costs no more memory than its own size.
///   errors  bad_json (offset in `found`), json_depth, json_duplicate; `field` is `where`
Checked<nlohmann::json> parse_json(std::string_view text, const char* where, std::size_t max_values = kMaxJsonValues);

/// Members reads the members of one JSON object; every error names the member under its full path.
class Members {
 public:
  /// `value` must outlive the Members. Errors: json_type.
  static Checked<Members> of(const nlohmann::json& value, std::string path);

  /// find is null if there is no such member; required refuses that as json_missing.
  const nlohmann::json* find(const char* name) const;
  Checked<const nlohmann::json*> required(const char* name) const;
  /// text yields a required string, a view into the object. Errors: json_missing, json_type.
  Checked<std::string_view> text(const char* name) const;
  Checked<Members> object(const char* name) const;
  /// flag is false if there is no such member. Errors: json_type.
  Checked<bool> flag(const char* name) const;
  /// texts yields a required list of strings. Errors: json_missing, json_type.
  Checked<std::vector<std::string>> texts(const char* name) const;
  /// only refuses a member of another name as bad_value.
  Checked<void> only(std::initializer_list<std::string_view> names) const;
  std::string path_of(const char* name) const;
  const std::string& path() const { return path_; }

 private:
  Members(const nlohmann::json& object, std::string path) : object_(&object), path_(std::move(path)) {}
  const nlohmann::json* object_;
  std::string path_;
};

}  // namespace attestbed::kbs
