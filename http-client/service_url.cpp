// SPDX-License-Identifier: Apache-2.0
#include "http-client/service_url.h"

#include <arpa/inet.h>
#include <curl/curl.h>

#include <algorithm>
#include <memory>

namespace attestbed::http {
namespace {

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
struct FreeText {
  void operator()(char* text) const { curl_free(text); }
};

std::string part(CURLU* url, CURLUPart which) {
  char* raw = nullptr;
  if (curl_url_get(url, which, &raw, 0) != CURLUE_OK) return {};
  const std::unique_ptr<char, FreeText> text(raw);
  return text.get();
}

bool is_loopback(const std::string& host) {
  if (host == "localhost") return true;
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6{};
  if (host.size() < 2 || host.front() != '[' || host.back() != ']') return false;
  return inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

}  // namespace

std::string shown_url(const std::string& text) {
  if (text.find('@') == std::string::npos) return text;
  const std::unique_ptr<CURLU, FreeUrl> url(curl_url());
  const bool parsed =
      url && curl_url_set(url.get(), CURLUPART_URL, text.c_str(), CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK;
  const std::string host = parsed ? part(url.get(), CURLUPART_HOST) : "";
  if (host.empty()) return "(not shown: it may hold a password)";
  return part(url.get(), CURLUPART_SCHEME) + "://" + host;
}

ServiceUrl parse_service_url(const std::string& text, PlainHttp plain) {
  const std::unique_ptr<CURLU, FreeUrl> url(curl_url());
  if (!url) return {{}, "out of memory"};
  const CURLUcode parsed = curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0);
  if (parsed != CURLUE_OK)
    return {{}, std::string("is no URL (") + curl_url_strerror(parsed) + "), expected https://HOST[:PORT]"};
  const std::string scheme = part(url.get(), CURLUPART_SCHEME);
  if (scheme != "https" && scheme != "http") return {{}, "has scheme " + scheme + ", expected https or http"};
  // libcurl also takes http:/s/user@kbs as host s: what a slip of the hand means must not be guessed.
  const std::string rest = text.substr(std::min(scheme.size(), text.size()));
  if (!rest.starts_with("://") || rest.starts_with(":///"))
    return {{}, "is no URL, expected " + scheme + "://HOST[:PORT]"};
  // libcurl takes it for the scheme's own port: as likely a port is missing, which a script left empty.
  const std::string authority = rest.substr(3, rest.find_first_of("/?#", 3) - 3);
  if (authority.ends_with(':')) return {{}, "has a colon and no port behind it"};
  for (const CURLUPart unwanted : {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_QUERY, CURLUPART_FRAGMENT}) {
    if (!part(url.get(), unwanted).empty()) return {{}, "may hold scheme, host, port and path only"};
  }
  // In a path it is most likely a password gone astray, and paths are logged.
  if (text.find('@') != std::string::npos) return {{}, "holds an @, which a path may hold as %40 only"};
  if (scheme == "http" && plain == PlainHttp::loopback_only && !is_loopback(part(url.get(), CURLUPART_HOST))) {
    return {{}, "is http to a host that is not loopback: use https, or allow it with --insecure-http"};
  }
  std::string normal = part(url.get(), CURLUPART_URL);
  while (normal.ends_with('/')) normal.pop_back();
  return {std::move(normal), {}};
}

}  // namespace attestbed::http
