// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/parity.h"

#include <algorithm>
#include <array>

namespace attestbed::kbs {
namespace {

constexpr std::string_view kCookie = "kbs-session-id=";
constexpr std::size_t kCookieDigits = 32;
// Before which digits a UUID has a dash (RFC 9562 section 4).
constexpr std::array<std::size_t, 4> kDashes{8, 12, 16, 20};
constexpr std::string_view kResource = "/kbs/v0/resource/";
constexpr std::string_view kOneResource = "/kbs/v0/resource/default/sample/test";

std::string with_dashes(const std::string& set_cookie) {
  if (!set_cookie.starts_with(kCookie) || set_cookie.size() < kCookie.size() + kCookieDigits) return set_cookie;
  std::string uuid = set_cookie.substr(kCookie.size(), kCookieDigits);
  for (auto dash = kDashes.rbegin(); dash != kDashes.rend(); ++dash) uuid.insert(*dash, 1, '-');
  return std::string(kCookie) + uuid;  // kbs-test gives it no attribute
}

std::string without_dashes(std::string cookies) {
  const std::size_t at = cookies.find(kCookie);
  if (at == std::string::npos) return cookies;
  const auto from = cookies.begin() + static_cast<std::ptrdiff_t>(at + kCookie.size());
  const auto to = std::find(from, cookies.end(), ';');
  cookies.erase(std::remove(from, to, '-'), to);
  return cookies;
}

Response bare(int status, AuditRecord audit) {
  Response response;
  response.status = audit.status = status;
  response.audit = std::move(audit);
  return response;
}

bool is_no_json(const Response& response) {
  return response.audit.refusal &&
         (response.audit.refusal->code == Errc::bad_json || response.audit.refusal->code == Errc::json_missing ||
          response.audit.refusal->code == Errc::json_type);
}

}  // namespace

Response serve_as_kbs_test(const Request& request, const std::function<Response(const Request&)>& next) {
  if (request.target.starts_with(kResource) && request.target != kOneResource) {
    AuditRecord audit;
    audit.peer = request.peer;
    audit.endpoint = request.method + " " + verify::printable(request.target, 200);
    audit.refusal = Refusal{Errc::resource_unknown, "path", std::string(kOneResource), "another"};
    return bare(404, std::move(audit));
  }
  Request own = request;
  own.cookies = without_dashes(request.cookies);
  own.authorization.clear();  // it knows no tokens
  Response response = next(own);
  if (response.status == 401) return bare(is_no_json(response) ? 400 : 417, std::move(response.audit));
  if (response.status == 200 && response.audit.endpoint == "POST attest") response.body = encode_token("test-token");
  response.set_cookie = with_dashes(response.set_cookie);
  return response;
}

}  // namespace attestbed::kbs
