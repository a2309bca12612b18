// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/base/base64.h"
#include "core/base/errc.h"

namespace attestbed::tests {

/// MessageKind is a message of docs/protocol.md and the code that reads it.
///   table   first header cell of its table; for the broker's bodies all three share one
///   prefix  of its fields in that table, with the dot; empty but for the broker's bodies
///   good    texts that are accepted; a field is tried in the first one that has it
///   refuse  reads a text as the product does; the code it ends with, or none
struct MessageKind {
  std::string table, prefix;
  std::vector<nlohmann::json> good;
  std::function<std::optional<Errc>(std::string)> refuse;
};

const std::vector<MessageKind>& message_kinds();

/// base64_text encodes `size` octets of zero.
std::string base64_text(Base64 alphabet, std::size_t size);

/// OpeningCase opens the recorded secret with one thing changed; see opening_refusal.
enum class OpeningCase { none, epk_off_curve, wrapped_cek_flipped, tag_flipped };
std::optional<Errc> opening_refusal(OpeningCase damage);

}  // namespace attestbed::tests
