// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <curl/curl.h>

#include <array>
#include <cstddef>
#include <string>

namespace attestbed::http {

/// CurlHandle is one libcurl transfer after another, with every default that matters replaced by a choice: no redirect,
/// no compression, no proxy, no .netrc, no environment variable, http and https alone, https verified, TLS 1.2 or
/// later, HTTP/1.1. Options are set one by one; `ready` stays false after the first that libcurl refuses.
class CurlHandle {
 public:
  /// `ca_file` holds the roots for https, in PEM; empty: the system's.
  CurlHandle(const char* user_agent, const std::string& ca_file);
  ~CurlHandle();
  CurlHandle(const CurlHandle&) = delete;
  CurlHandle& operator=(const CurlHandle&) = delete;

  template <class Value>
  void set(CURLoption option, Value value) {
    ready_ = ready_ && curl_easy_setopt(curl_, option, value) == CURLE_OK;
  }
  bool ready() const { return ready_; }
  CURL* get() const { return curl_; }
  CURLcode perform();
  /// number is a counter or a time of the last transfer; 0 if libcurl has none.
  std::size_t number(CURLINFO info) const;
  /// status is the HTTP status of the last transfer, 0 if there was none.
  long status() const;
  /// verify_result is what OpenSSL said of the last server's certificate (X509_V_*): 0 if it is good, and also if there
  /// was none. 1 if its chain is good and its name is not.
  long verify_result() const;
  /// local_end is address and port of this end of the last transfer's connection, "127.0.0.1:40000"; empty if there was
  /// none.
  std::string local_end() const;
  /// account is the last failure in libcurl's words.
  std::string account() const { return account_.data(); }

 private:
  CURL* curl_;
  bool ready_;
  std::array<char, CURL_ERROR_SIZE> account_{};
};

/// Library keeps libcurl initialised as long as it lives. Made before the first thread.
class Library {
 public:
  Library();
  ~Library();
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  bool ready() const { return ready_; }

 private:
  bool ready_;
};

}  // namespace attestbed::http
