// SPDX-License-Identifier: Apache-2.0
#include "http-client/curl_handle.h"

#include <algorithm>
#include <string>

namespace attestbed::http {

CurlHandle::CurlHandle(const char* user_agent, const std::string& ca_file)
    : curl_(curl_easy_init()), ready_(curl_ != nullptr) {
  set(CURLOPT_ERRORBUFFER, account_.data());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
  set(CURLOPT_HTTP09_ALLOWED, 0L);
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_PROXY, "");
  set(CURLOPT_NOPROXY, "*");
  set(CURLOPT_NETRC, long{CURL_NETRC_IGNORED});
  set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  set(CURLOPT_PATH_AS_IS, 1L);
  set(CURLOPT_USERAGENT, user_agent);
  set(CURLOPT_TCP_NODELAY, 1L);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_QUICK_EXIT, 1L);  // a name server that hangs must not hold the caller past its deadline
  set(CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2});  // or later
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  if (ca_file.empty()) return;
  set(CURLOPT_CAINFO, ca_file.c_str());
  set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));  // else the system's roots would be trusted as well
}

CurlHandle::~CurlHandle() {
  curl_easy_cleanup(curl_);
}

CURLcode CurlHandle::perform() {
  account_[0] = '\0';
  return curl_easy_perform(curl_);
}

std::size_t CurlHandle::number(CURLINFO info) const {
  curl_off_t value = 0;
  curl_easy_getinfo(curl_, info, &value);
  return static_cast<std::size_t>(std::max<curl_off_t>(value, 0));
}

long CurlHandle::status() const {
  long value = 0;
  curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &value);
  return value;
}

long CurlHandle::verify_result() const {
  long value = 0;
  curl_easy_getinfo(curl_, CURLINFO_SSL_VERIFYRESULT, &value);
  return value;
}

std::string CurlHandle::local_end() const {
  const char* address = nullptr;
  long port = 0;
  curl_easy_getinfo(curl_, CURLINFO_LOCAL_IP, &address);
  curl_easy_getinfo(curl_, CURLINFO_LOCAL_PORT, &port);
  return address == nullptr || port == 0 ? std::string() : std::string(address) + ":" + std::to_string(port);
}

Library::Library() : ready_(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) {}

Library::~Library() {
  if (ready_) curl_global_cleanup();
}

}  // namespace attestbed::http
