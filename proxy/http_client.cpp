// SPDX-License-Identifier: Apache-2.0
#include "proxy/http_client.h"

#include <algorithm>
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

// Of a URL as http::parse_service_url returns it, and what is appended to it.
std::string_view behind_scheme(std::string_view url) {
  return url.substr(url.find("://") + 3);
}
std::string host_of(std::string_view url) {
  const std::string_view rest = behind_scheme(url), authority = rest.substr(0, rest.find('/'));
  const std::size_t name_ends = authority.starts_with('[') ? authority.find(']') + 1 : authority.find(':');
  return std::string(authority.substr(0, name_ends));
}
std::string path_of(std::string_view url) {
  const std::string_view rest = behind_scheme(url);
  return std::string(rest.substr(std::min(rest.size(), rest.find('/'))));
}

// The value of the `index`th field of this name in the last answer's head; null if there are not so many.
const char* field(CURL* curl, const char* name, std::size_t index) {
  curl_header* found = nullptr;
  return curl_easy_header(curl, name, index, CURLH_HEADER, -1, &found) == CURLHE_OK ? found->value : nullptr;
}

}  // namespace

HttpClient::HttpClient(const BrokerConfig& config, const HttpLimits& limits, Clock& clock,
                       const std::atomic<bool>& cancelled)
    : handle_(std::make_unique<Handle>("attest-proxy", config.ca_file)),
      limits_(limits),
      clock_(clock),
      jar_(host_of(config.url), config.url.starts_with("https:")),
      tls_{.https = config.url.starts_with("https:"),
           .own_roots = !config.ca_file.empty(),
           .shows_certificate = !config.client_certificate.empty()} {
  Handle& h = *handle_;
  if (!config.client_certificate.empty()) {
    h.set(CURLOPT_SSLCERT, config.client_certificate.c_str());
    h.set(CURLOPT_SSLKEY, config.client_key.c_str());
    h.set(CURLOPT_KEYPASSWD, "");  // else OpenSSL would ask a terminal for it
  }
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

  const std::string path = path_of(request.url), cookies = jar_.field(path);
  Incoming in{.body = {}, .max_body_bytes = limits_.max_body_bytes, .max_header_bytes = limits_.max_header_bytes};
  h.set(CURLOPT_URL, request.url.c_str());
  h.set(CURLOPT_HTTPHEADER, headers.get());
  h.set(CURLOPT_COOKIE, cookies.empty() ? nullptr : cookies.c_str());
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
  take_cookies(path);
  return HttpReply{h.status(), std::move(in.body)};
}

void HttpClient::take_cookies(const std::string& path) {
  CURL* const curl = handle_->get();
  const char* const said = field(curl, "Date", 0);
  const std::time_t date = said == nullptr ? -1 : curl_getdate(said, nullptr);
  const std::int64_t now = date == -1 ? std::time(nullptr) : date;
  for (std::size_t i = 0; const char* const set_cookie = field(curl, "Set-Cookie", i); ++i) {
    jar_.take(set_cookie, path, now);
  }
}

}  // namespace attestbed::proxy
