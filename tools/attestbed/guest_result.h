// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace attestbed::tools {

inline constexpr std::size_t kMaxGuestResult = 64 * 1024;

/// GuestResult is the object that `attest-guest --json` prints, or what is wrong with it: "phases[0].ms: expected a
/// number". It may come from the console of a machine that is not ours, so whoever reads members later finds each of
/// the type that attest-guest gives it, and no text with a control character.
struct GuestResult {
  nlohmann::ordered_json object;
  std::string wrong;
};

/// read_guest_result takes at most kMaxGuestResult octets and eight levels. `code` is there in any case, null if it was
/// not. Members that are not known here may be anything.
GuestResult read_guest_result(std::string_view text);

}  // namespace attestbed::tools
