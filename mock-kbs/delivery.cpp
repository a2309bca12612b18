// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/delivery.h"

#include <array>
#include <cstdio>

#include "mock-kbs/handlers.h"

namespace attestbed::kbs {
namespace {

using How = Delivery::How;
using End = WireScript::End;

// The status line has no reason phrase, which RFC 9112 section 4 makes optional.
std::string head_of(const Response& response, const std::string& framing) {
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + " \r\n";
  if (!response.content_type.empty()) head += "Content-Type: " + response.content_type + "\r\n";
  if (!response.set_cookie.empty()) head += "Set-Cookie: " + response.set_cookie + "\r\n";
  for (const auto& [name, value] : response.headers) head += name + ": " + value + "\r\n";
  return head + framing + "\r\n\r\n";
}

std::string length(std::size_t octets) {
  return "Content-Length: " + std::to_string(octets);
}

std::string chunk(const std::string& octets) {
  if (octets.empty()) return {};
  std::array<char, 32> size;
  const int n = std::snprintf(size.data(), size.size(), "%zx\r\n", octets.size());
  return std::string(size.data(), static_cast<std::size_t>(n)) + octets + "\r\n";
}

}  // namespace

WireScript wire_script(const Response& response) {
  const std::string& body = response.body;
  const std::string first = body.substr(0, body.size() / 2);
  const std::string second = body.substr(body.size() / 2);
  const std::string head = head_of(response, length(body.size()));
  const std::chrono::milliseconds time = response.delivery.time;
  switch (response.delivery.how) {
    case How::whole:
      return {.parts = {{.octets = head + body}}};
    case How::delayed:
      return {.parts = {{.octets = head + body, .before = time}}};
    case How::stalled:
      return {.parts = {{.octets = head + first}, {.octets = second, .before = time}}};
    case How::trickled:
      return {.parts = {{.octets = head + body, .each = time}}};
    case How::closed:
      return {.parts = {}, .end = End::vanish};
    case How::reset:
      return {.parts = {{.octets = head + first}}, .end = End::reset};
    case How::short_body:
      return {.parts = {{.octets = head + first}}, .end = End::close};
    case How::long_body:
      return {.parts = {{.octets = head_of(response, length(first.size())) + body}}};
    case How::chunked:
      return {.parts = {{.octets = head_of(response, "Transfer-Encoding: chunked") + chunk(first) + chunk(second) +
                                   "0\r\n\r\n"}}};
    case How::refusing:
      return {.parts = {{.octets = head_of(response, length(body.size()) + "\r\nConnection: close") + body}},
              .end = End::close,
              .refuse = time};
  }
  return {};
}

}  // namespace attestbed::kbs
