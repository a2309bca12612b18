// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/guest_result.h"

#include <algorithm>
#include <array>

namespace attestbed::tools {
namespace {

using nlohmann::ordered_json;

constexpr int kMaxDepth = 8;
constexpr std::size_t kMaxEntries = 64;

enum class Shape {
  outcome,
  status,
  text,
  text_or_null,
  count,
  number,
  number_or_null,
  secret,
  phases,
  frames,
  numbers
};

struct Member {
  const char* name;
  Shape shape;
  bool required = false;
};

constexpr std::array kMembers = {Member{"outcome", Shape::outcome, true},
                                 Member{"exit", Shape::status, true},
                                 Member{"attestation", Shape::text_or_null},
                                 Member{"code", Shape::text_or_null},
                                 Member{"field", Shape::text},
                                 Member{"expected", Shape::count},
                                 Member{"found", Shape::count},
                                 Member{"meaning", Shape::text},
                                 Member{"remedy", Shape::text},
                                 Member{"detail", Shape::text_or_null},
                                 Member{"secret", Shape::secret},
                                 Member{"phases", Shape::phases},
                                 Member{"frames", Shape::frames},
                                 Member{"uart", Shape::numbers},
                                 Member{"boot", Shape::numbers}};
constexpr std::array kSecret = {Member{"octets", Shape::count, true}, Member{"kept_in", Shape::text_or_null}};
constexpr std::array kPhase = {Member{"name", Shape::text, true}, Member{"ms", Shape::number, true}};
constexpr std::array kFrame = {Member{"message", Shape::text, true}, Member{"octets", Shape::count, true}};

const char* words_for(Shape shape) {
  switch (shape) {
    case Shape::outcome:
      return "released, refused or failed";
    case Shape::status:
      return "a number up to 255";
    case Shape::text:
      return "a text";
    case Shape::text_or_null:
      return "a text or null";
    case Shape::count:
      return "a whole number";
    case Shape::number:
      return "a number";
    case Shape::number_or_null:
      return "a number or null";
    case Shape::secret:
      return "an object or null";
    case Shape::phases:
    case Shape::frames:
      return "a list of up to 64 objects";
    case Shape::numbers:
      break;
  }
  return "an object of numbers";
}

std::string expected(const std::string& path, Shape shape) {
  return path + ": expected " + words_for(shape);
}

std::string wrong_in(const ordered_json& value, Shape shape, const std::string& path);

template <std::size_t kCount>
std::string wrong_members(const ordered_json& object, const std::array<Member, kCount>& members,
                          const std::string& path) {
  for (const Member& member : members) {
    const std::string where = path.empty() ? member.name : path + "." + member.name;
    const auto found = object.find(member.name);
    if (found == object.end()) {
      if (member.required) return expected(where, member.shape) + ", found none";
      continue;
    }
    if (std::string wrong = wrong_in(*found, member.shape, where); !wrong.empty()) return wrong;
  }
  return {};
}

template <std::size_t kCount>
std::string wrong_entries(const ordered_json& list, const std::array<Member, kCount>& members,
                          const std::string& path) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string where = path + "[" + std::to_string(i) + "]";
    if (!list[i].is_object()) return where + ": expected an object";
    if (std::string wrong = wrong_members(list[i], members, where); !wrong.empty()) return wrong;
  }
  return {};
}

bool is_outcome(const ordered_json& value) {
  return value == "released" || value == "refused" || value == "failed";
}

std::string wrong_in(const ordered_json& value, Shape shape, const std::string& path) {
  const auto judge = [&](bool right) { return right ? std::string() : expected(path, shape); };
  switch (shape) {
    case Shape::outcome:
      return judge(is_outcome(value));
    case Shape::status:
      return judge(value.is_number_unsigned() && value.get<std::uint64_t>() <= 255);
    case Shape::text:
      return judge(value.is_string());
    case Shape::text_or_null:
      return judge(value.is_string() || value.is_null());
    case Shape::count:
      return judge(value.is_number_unsigned());
    case Shape::number:
      return judge(value.is_number());
    case Shape::number_or_null:
      return judge(value.is_number() || value.is_null());
    case Shape::secret:
      if (value.is_object()) return wrong_members(value, kSecret, path);
      return judge(value.is_null());
    case Shape::phases:
    case Shape::frames:
      if (!value.is_array() || value.size() > kMaxEntries) return expected(path, shape);
      return shape == Shape::phases ? wrong_entries(value, kPhase, path) : wrong_entries(value, kFrame, path);
    case Shape::numbers:
      if (!value.is_object()) return expected(path, shape);
      for (const auto& [name, member] : value.items()) {
        if (std::string wrong = wrong_in(member, Shape::number_or_null, path + "." + name); !wrong.empty())
          return wrong;
      }
  }
  return {};
}

bool has_control_character(const std::string& text) {
  return std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

// As deep as read_guest_result allows.
bool texts_are_plain(const ordered_json& value) {
  if (value.is_string()) return !has_control_character(value.get_ref<const std::string&>());
  if (!value.is_structured()) return true;
  for (const auto& [name, member] : value.items()) {
    if (has_control_character(name) || !texts_are_plain(member)) return false;
  }
  return true;
}

}  // namespace

GuestResult read_guest_result(std::string_view text) {
  if (text.empty()) return {{}, "expected an object, found nothing"};
  if (text.size() > kMaxGuestResult) {
    return {{},
            "expected at most " + std::to_string(kMaxGuestResult) + " octets, found " + std::to_string(text.size())};
  }
  bool too_deep = false;
  const auto bounded = [&too_deep](int depth, ordered_json::parse_event_t, ordered_json&) {
    too_deep = too_deep || depth > kMaxDepth;
    return depth <= kMaxDepth;
  };
  ordered_json object = ordered_json::parse(text, bounded, false);
  if (too_deep) return {{}, "expected at most " + std::to_string(kMaxDepth) + " levels"};
  if (!object.is_object()) return {{}, "expected one JSON object"};
  if (!texts_are_plain(object)) return {{}, "expected no control characters in its texts"};
  if (std::string wrong = wrong_members(object, kMembers, {}); !wrong.empty()) return {{}, std::move(wrong)};
  if (!object.contains("code")) object["code"] = nullptr;
  return {std::move(object), {}};
}

}  // namespace attestbed::tools
