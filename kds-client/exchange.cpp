// SPDX-License-Identifier: Apache-2.0
#include "kds-client/exchange.h"

#include <algorithm>
#include <charconv>

#include "http-client/curl_handle.h"

namespace attestbed::kds {
namespace {

constexpr std::size_t kMaxHeaderBytes = 16 * 1024;
constexpr std::int64_t kMaxRetryAfter = 24 * 60 * 60;

// Incoming is what the callbacks fill. They run inside curl's C code, so nothing may be thrown through them.
struct Incoming {
  Answer answer;
  std::size_t header_bytes = 0;
  std::size_t max_octets;
  bool too_large = false;
  bool head_complete = false;  // the empty line after it was there
};

std::size_t on_body(char* data, std::size_t, std::size_t size, void* to) {
  auto& in = *static_cast<Incoming*>(to);
  if (size > in.max_octets - in.answer.body.size()) {
    in.too_large = true;
    return CURL_WRITEFUNC_ERROR;
  }
  try {
    in.answer.body.insert(in.answer.body.end(), data, data + size);
  } catch (const std::exception&) {
    return CURL_WRITEFUNC_ERROR;
  }
  return size;
}

bool is_named(std::string_view line, std::string_view name) {
  return line.size() > name.size() && line[name.size()] == ':' &&
         std::ranges::equal(line.substr(0, name.size()), name,
                            [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

std::size_t on_header(char* data, std::size_t, std::size_t size, void* to) {
  auto& in = *static_cast<Incoming*>(to);
  if (size > kMaxHeaderBytes - in.header_bytes) {
    in.too_large = true;
    return CURL_WRITEFUNC_ERROR;
  }
  in.header_bytes += size;
  const std::string_view line(data, size);
  constexpr std::string_view kRetryAfter = "retry-after";
  if (line == "\r\n" || line == "\n") in.head_complete = true;
  if (line.starts_with("HTTP/")) in.head_complete = false;  // another head follows a 1xx answer
  if (is_named(line, kRetryAfter)) in.answer.retry_after = retry_after_seconds(line.substr(kRetryAfter.size() + 1));
  return size;
}

int on_progress(void* stopped, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const std::atomic<bool>*>(stopped)->load() ? 1 : 0;
}

Refusal refusal_of(CURLcode code, const Incoming& in, const Exchange& exchange, const http::CurlHandle& handle) {
  const std::string account = handle.account().empty() ? curl_easy_strerror(code) : handle.account();
  const std::string words = verify::printable(account, 200);
  if (in.too_large || code == CURLE_FILESIZE_EXCEEDED) {
    return {Errc::kds_malformed, exchange.url, "at most " + std::to_string(exchange.max_octets) + " octets", "more"};
  }
  switch (code) {
    case CURLE_ABORTED_BY_CALLBACK:
      return {Errc::kds_unreachable, exchange.url, "to be waited for", "this program is stopping"};
    case CURLE_OPERATION_TIMEDOUT:
      return {Errc::kds_timeout, exchange.url, "an answer within " + std::to_string(exchange.timeout.count()) + " ms",
              words};
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CONNECT_ERROR:
      return {Errc::kds_untrusted, exchange.url, "a TLS certificate that is trusted", words};
    case CURLE_OUT_OF_MEMORY:
    case CURLE_FAILED_INIT:
      return {Errc::internal, exchange.url, "libcurl to work", words};
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return {Errc::kds_malformed, exchange.url, "an HTTP answer", words};
    default:
      return {Errc::kds_unreachable, exchange.url, "a complete answer", words};
  }
}

}  // namespace

std::optional<std::chrono::seconds> retry_after_seconds(std::string_view value) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!value.empty() && is_blank(value.front())) value.remove_prefix(1);
  while (!value.empty() && is_blank(value.back())) value.remove_suffix(1);
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
  if (value.empty() || end != value.data() + value.size() || value.front() == '-') return std::nullopt;
  if (error == std::errc::result_out_of_range) seconds = kMaxRetryAfter;
  return std::chrono::seconds(std::min(seconds, kMaxRetryAfter));
}

Checked<Answer> get(const Exchange& exchange, const std::atomic<bool>& stopped) {
  Incoming in{.answer = {}, .max_octets = exchange.max_octets};
  http::CurlHandle handle("attestbed-kds-client", exchange.ca_file);
  handle.set(CURLOPT_URL, exchange.url.c_str());
  handle.set(CURLOPT_HTTPGET, 1L);
  // A connection of its own: KDS requests are rare, and an old connection's end would look like the KDS's.
  handle.set(CURLOPT_FORBID_REUSE, 1L);
  handle.set(CURLOPT_TIMEOUT_MS, static_cast<long>(exchange.timeout.count()));
  handle.set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(exchange.connect_timeout.count()));
  handle.set(CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(exchange.max_octets));
  handle.set(CURLOPT_WRITEFUNCTION, on_body);
  handle.set(CURLOPT_WRITEDATA, &in);
  handle.set(CURLOPT_HEADERFUNCTION, on_header);
  handle.set(CURLOPT_HEADERDATA, &in);
  handle.set(CURLOPT_NOPROGRESS, 0L);
  handle.set(CURLOPT_XFERINFOFUNCTION, on_progress);
  handle.set(CURLOPT_XFERINFODATA, const_cast<std::atomic<bool>*>(&stopped));  // curl's API knows no const
  if (!handle.ready()) return Refusal{Errc::internal, exchange.url, "every option of libcurl", "one refused"};
  const CURLcode code = handle.perform();
  if (code != CURLE_OK) return refusal_of(code, in, exchange, handle);
  // To curl a head that the connection's end cut off is a whole one.
  if (!in.head_complete) {
    return Refusal{Errc::kds_unreachable, exchange.url, "a complete answer", "an end inside its head"};
  }
  in.answer.status = handle.status();
  return std::move(in.answer);
}

}  // namespace attestbed::kds
