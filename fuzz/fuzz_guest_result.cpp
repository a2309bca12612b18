// SPDX-License-Identifier: Apache-2.0
// Property: a guest's result is refused with words of plain text, or every member that is shown later has its type, no
// text of it can steer a terminal, and it reads back the same from its printed form.
#include <algorithm>

#include "fuzz/must.h"
#include "tools/attestbed/guest_result.h"

using namespace attestbed;
using fuzz::must;

namespace {

bool plain(const std::string& text) {
  return std::ranges::all_of(text, [](unsigned char c) { return c >= 0x20 && c != 0x7f; });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const tools::GuestResult read = tools::read_guest_result({reinterpret_cast<const char*>(data), size});
  must(plain(read.wrong), "a refusal is plain text");
  if (!read.wrong.empty()) {
    must(read.object.is_null(), "what is refused is not there");
    return 0;
  }
  const auto& object = read.object;
  must(object["exit"].get<std::uint64_t>() <= 255 && plain(object["outcome"].get<std::string>()), "how it ended");
  must(object["code"].is_null() || plain(object["code"].get<std::string>()), "why");
  for (const auto& phase : object.value("phases", nlohmann::ordered_json::array())) {
    must(plain(phase["name"].get<std::string>()) && phase["ms"].is_number(), "a phase");
  }
  for (const auto& frame : object.value("frames", nlohmann::ordered_json::array())) {
    must(plain(frame["message"].get<std::string>()) && frame["octets"].is_number_unsigned(), "a frame");
  }
  const std::string printed = object.dump();
  must(plain(printed), "printed on one line");
  must(printed.size() > tools::kMaxGuestResult || tools::read_guest_result(printed).object == object, "read back");
  return 0;
}
