// SPDX-License-Identifier: Apache-2.0
#include "proxy/http_client.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

#include "http-client/curl_handle.h"
#include "proxy/connection_failure.h"

namespace attestbed::proxy {
namespace {

using std::chrono::milliseconds;

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using List = std::unique_ptr<curl_slist, FreeList>;

bool append(List& list, const std::string& line) {
  curl_slist* longer = curl_slist_append(list.get(), line.c_str());
  if (longer == nullptr) return false;
  (void)list.release();
  list.reset(longer);
  return true;
}

// Incoming is what the callbacks fill. They run inside curl's C code, so nothing may be thrown through them.
struct Incoming {
  std::string body;
  std::size_t header_bytes = 0;
  std::size_t max_body_bytes, max_header_bytes;
  bool body_too_large = false, headers_too_large = false;
  bool head_complete = false;  // the empty line after it was there
};

std::size_t on_body(char* data, std::size_t, std::size_t size, void* to) {
  auto& in = *static_cast<Incoming*>(to);
  if (size > in.max_body_bytes - in.body.size()) {
    in.body_too_large = true;
    return CURL_WRITEFUNC_ERROR;
  }
  try {
    in.body.append(data, size);
  } catch (const std::exception&) {
    return CURL_WRITEFUNC_ERROR;
  }
  return size;
}

std::size_t on_header(char* data, std::size_t, std::size_t size, void* to) {
  auto& in = *static_cast<Incoming*>(to);
  if (size > in.max_header_bytes - in.header_bytes) {
    in.headers_too_large = true;
    return CURL_WRITEFUNC_ERROR;
  }
  in.header_bytes += size;
  const std::string_view line(data, size);
  if (line == "\r\n" || line == "\n") in.head_complete = true;
  if (line.starts_with("HTTP/")) in.head_complete = false;  // another head follows a 1xx answer
  return size;
}

int on_progress(void* cancelled, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const std::atomic<bool>*>(cancelled)->load() ? 1 : 0;
}

Failure failure_of(CURLcode code, const Incoming& in, bool sent, const std::string& words) {
  if (in.body_too_large || code == CURLE_FILESIZE_EXCEEDED) {
    return {Errc::too_large, "the broker's answer is above " + std::to_string(in.max_body_bytes) + " octets", {}};
  }
  if (in.headers_too_large) return {Errc::broker_malformed, "the broker's HTTP headers are above the limit", {}};
  switch (code) {
    case CURLE_ABORTED_BY_CALLBACK:
      return {Errc::proxy_stopping, "the proxy is shutting down", {}};
    case CURLE_OPERATION_TIMEDOUT:
      if (!sent) return {Errc::broker_unreachable, "no connection to the broker in time", {}};
      return {Errc::broker_timeout, "the broker did not answer in time", {}};
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
      return {Errc::broker_unreachable, words, {}};
    case CURLE_OUT_OF_MEMORY:
    case CURLE_FAILED_INIT:
      return {Errc::proxy_internal, words, {}};
    default:
      return {Errc::broker_malformed, words, {}};
  }
}

}  // namespace

struct HttpClient::Handle : http::CurlHandle {
  using CurlHandle::CurlHandle;
};

namespace {

struct Cookie {
  std::string value;
  std::int64_t expires = 0;  // seconds since 1970; 0: with the session
};

// The first cookie of this name, empty if there is none. A line of libcurl's list is one of the Netscape file format:
// domain, subdomains, path, secure, expires, name, value between tabs.
Cookie cookie_named(CURL* curl, std::string_view name) {
  curl_slist* raw = nullptr;
  curl_easy_getinfo(curl, CURLINFO_COOKIELIST, &raw);
  const List cookies(raw);
  for (const curl_slist* at = cookies.get(); at != nullptr; at = at->next) {
    std::array<std::string_view, 7> fields;
    std::string_view line = at->data;
    for (std::string_view& field : fields) {
      field = line.substr(0, line.find('\t'));
      line.remove_prefix(std::min(line.size(), field.size() + 1));
    }
    if (fields[5] != name) continue;
    Cookie cookie{.value = std::string(fields[6])};
    (void)std::from_chars(fields[4].data(), fields[4].data() + fields[4].size(), cookie.expires);
    return cookie;
  }
  return {};
}

}  // namespace

HttpClient::HttpClient(const BrokerConfig& config, const HttpLimits& limits, Clock& clock,
                       const std::atomic<bool>& cancelled)
    : handle_(std::make_unique<Handle>("attest-proxy", config.ca_file)),
      limits_(limits),
      clock_(clock),
      tls_{.https = config.url.starts_with("https:"),
           .own_roots = !config.ca_file.empty(),
           .shows_certificate = !config.client_certificate.empty()} {
  Handle& h = *handle_;
  if (!config.client_certificate.empty()) {
    h.set(CURLOPT_SSLCERT, config.client_certificate.c_str());
    h.set(CURLOPT_SSLKEY, config.client_key.c_str());
    h.set(CURLOPT_KEYPASSWD, "");  // else OpenSSL would ask a terminal for it
  }
  h.set(CURLOPT_COOKIEFILE, "");  // the in-memory cookie engine, this handle's own
  h.set(CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(limits.max_body_bytes));
  h.set(CURLOPT_WRITEFUNCTION, on_body);
  h.set(CURLOPT_HEADERFUNCTION, on_header);
  h.set(CURLOPT_NOPROGRESS, 0L);
  h.set(CURLOPT_XFERINFOFUNCTION, on_progress);
  h.set(CURLOPT_XFERINFODATA, const_cast<std::atomic<bool>*>(&cancelled));  // curl's API knows no const
}

HttpClient::~HttpClient() = default;

Outcome<HttpReply> HttpClient::send(const HttpRequest& request, Deadline until) {
  Handle& h = *handle_;
  traffic_ = {};
  const Instant started = clock_.now();
  const auto left = std::chrono::ceil<milliseconds>(until - started);
  if (left <= milliseconds::zero()) return Failure{Errc::broker_timeout, "no time is left for the broker", {}};

  List headers;
  bool complete = append(headers, "Accept: application/json");
  if (request.body) complete = complete && append(headers, "Content-Type: application/json");
  if (request.body) complete = complete && append(headers, "Expect:");  // no 100-continue round trip
  if (!request.bearer.empty()) complete = complete && append(headers, "Authorization: Bearer " + request.bearer);
  if (!complete) return Failure{Errc::proxy_internal, "out of memory", {}};

  Incoming in{.body = {}, .max_body_bytes = limits_.max_body_bytes, .max_header_bytes = limits_.max_header_bytes};
  h.set(CURLOPT_URL, request.url.c_str());
  h.set(CURLOPT_HTTPHEADER, headers.get());
  if (request.body) {
    h.set(CURLOPT_POST, 1L);
    h.set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body->size()));
    h.set(CURLOPT_POSTFIELDS, request.body->c_str());
  } else {
    h.set(CURLOPT_HTTPGET, 1L);
  }
  // curl repeats a request by itself if a kept connection turns out dead: a POST gets a new one, so it leaves once.
  h.set(CURLOPT_FRESH_CONNECT, request.body ? 1L : 0L);
  h.set(CURLOPT_FORBID_REUSE, request.connection == HttpRequest::Connection::close ? 1L : 0L);
  // curl takes 0 for "no limit", which `left` is not; what does not fit into a long is no deadline worth having.
  const auto bounded = std::min<milliseconds>(left, std::chrono::hours(24));
  h.set(CURLOPT_TIMEOUT_MS, static_cast<long>(bounded.count()));
  h.set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(std::min(bounded, limits_.connect).count()));
  h.set(CURLOPT_WRITEDATA, &in);
  h.set(CURLOPT_HEADERDATA, &in);
  if (!h.ready()) return Failure{Errc::proxy_internal, "libcurl refuses an option", {}};

  const CURLcode code = h.perform();
  traffic_.took = clock_.now() - started;
  traffic_.status = h.status();
  traffic_.left = code == CURLE_OK || h.number(CURLINFO_PRETRANSFER_TIME_T) > 0;  // set once the request may be sent
  traffic_.octets_sent = request.body ? request.body->size() : 0;
  traffic_.octets_received = in.body.size();
  traffic_.peer = h.local_end();
  h.set(CURLOPT_HTTPHEADER, static_cast<curl_slist*>(nullptr));
  h.set(CURLOPT_POSTFIELDS, static_cast<const char*>(nullptr));
  if (code != CURLE_OK) {
    const std::string words = connection_words(code, h.account(), h.verify_result(), tls_);
    Failure failure = failure_of(code, in, traffic_.left, words);
    failure.received = escaped(h.account().substr(0, kMaxReceivedBytes));
    return failure;
  }
  // To curl a head that the connection's end cut off is a whole one.
  if (!in.head_complete) return Failure{Errc::broker_unreachable, "the broker's answer ends inside its head", {}};
  return HttpReply{h.status(), std::move(in.body)};
}

std::string HttpClient::cookie(std::string_view name) const {
  return cookie_named(handle_->get(), name).value;
}

std::optional<std::chrono::seconds> HttpClient::cookie_lifetime(std::string_view name) const {
  const Cookie cookie = cookie_named(handle_->get(), name);
  if (cookie.expires == 0) return std::nullopt;
  return std::chrono::seconds(std::max<std::int64_t>(cookie.expires - std::time(nullptr), 0));
}

void HttpClient::forget_cookies() {
  handle_->set(CURLOPT_COOKIELIST, "ALL");
}

}  // namespace attestbed::proxy
