// SPDX-License-Identifier: Apache-2.0
// Property: what owners write on command lines is either refused or means one thing: a broker's URL, a fault of the
// firmware or of the broker, a time, a resource path and hex each read back the same from their own printed form. The
// first octet chooses.
#include "core/posix/describe.h"
#include "core/protocol/resource_path.h"
#include "core/verify/refusal.h"
#include "fuzz/must.h"
#include "http-client/service_url.h"
#include "mock-kbs/fault_plan.h"
#include "sim/fault_plan.h"

using namespace attestbed;
using fuzz::must;

namespace {

void check_url(const std::string& text) {
  using http::PlainHttp;
  for (const PlainHttp plain : {PlainHttp::loopback_only, PlainHttp::anywhere}) {
    const http::ServiceUrl url = http::parse_service_url(text, plain);
    must(url.url.empty() != url.problem.empty(), "a URL, or why not");
    if (url.url.empty()) continue;
    must(!url.url.ends_with('/') && url.url.find_first_of("?#@ \r\n") == std::string::npos, "in its one form");
    must(url.url.starts_with("https://") || url.url.starts_with("http://"), "of a known scheme");
    must(http::parse_service_url(url.url, plain).url == url.url, "which reads back the same");
    must(plain == PlainHttp::anywhere || http::parse_service_url(text, PlainHttp::anywhere).url == url.url,
         "the wider rule accepts what the narrower does");
  }
}

void check_fault(const std::string& text) {
  const auto fault = sim::parse_fault(text);
  if (!fault) return;
  const auto again = sim::parse_fault(sim::fault_text(*fault));
  must(again && *again == *fault, "a fault reads back the same");
}

void check_broker_fault(const std::string& text) {
  const auto fault = kbs::parse_fault(text);
  if (!fault) return;
  const auto again = kbs::parse_fault(kbs::fault_text(*fault));
  must(again && *again == *fault, "a broker's fault reads back the same");
}

void check_time(const std::string& text) {
  const auto time = verify::time_parse(text);
  if (!time) return;
  const auto again = verify::time_parse(verify::time_text(*time));
  must(again && *again == *time, "a time reads back the same");
}

void check_path(const std::string& text) {
  const auto path = protocol::ResourcePath::parse(text, "fuzz");
  if (!path) return;
  must(path->text() == text && text.find("..") != 0 && text.find("/.") == std::string::npos, "a path is as written");
}

void check_hex(const std::string& text) {
  std::string octets;
  if (!posix::from_hex(text, octets)) return;
  std::string lower = text;
  for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
  must(posix::to_hex(bytes_of(octets)) == lower, "hex reads back the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string text(text_of(Bytes(data, size).subspan(1)));
  constexpr void (*kChecks[])(const std::string&) = {check_url,  check_fault, check_time,
                                                     check_path, check_hex,   check_broker_fault};
  kChecks[data[0] % std::size(kChecks)](text);
  return 0;
}
