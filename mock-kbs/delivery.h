// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace attestbed::kbs {

struct Response;

/// Delivery is how an answer reaches its peer; every way but `whole` is a fault of the plan.
///   whole       as HTTP has it
///   delayed     after `time`
///   stalled     with a pause of `time` in the middle of the body
///   trickled    an octet, a pause of `time`, the next octet
///   closed      not at all: the connection ends
///   reset       half of the body, then a reset
///   short_body  half of the body that was announced, then the end
///   long_body   all of the body, half of it announced
///   chunked     in two chunks, without a length
///   refusing    whole; then the connection ends, and the listener is closed for `time`
struct Delivery {
  enum class How : std::uint8_t {
    whole,
    delayed,
    stalled,
    trickled,
    closed,
    reset,
    short_body,
    long_body,
    chunked,
    refusing
  };
  How how = How::whole;
  std::chrono::milliseconds time{0};
};

/// WireScript is such an answer as octets and pauses.
///   parts   one after the other: a pause, then octets, with a pause between each two of them if `each` is not 0
///   end     what becomes of the connection then
///   refuse  not 0: how long no connection is accepted, from before the first octet
struct WireScript {
  struct Part {
    std::string octets;
    std::chrono::milliseconds before{0};
    std::chrono::milliseconds each{0};
  };
  enum class End : std::uint8_t { keep, close, vanish, reset };
  std::vector<Part> parts;
  End end = End::keep;
  std::chrono::milliseconds refuse{0};
};

/// wire_script writes `response` as its delivery says.
WireScript wire_script(const Response& response);

}  // namespace attestbed::kbs
