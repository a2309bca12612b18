// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <curl/curl.h>

#include <string>

namespace attestbed::proxy {

/// TlsUse is what this proxy's configuration says of TLS.
///   https              the broker's URL is https
///   own_roots          --ca names the roots
///   shows_certificate  --client-cert is given
struct TlsUse {
  bool https = false, own_roots = false, shows_certificate = false;
};

/// connection_words is why libcurl brought no answer, for a guest and for whoever runs the proxy: of TLS failures with
/// the option that mends them, of others libcurl's own words for `code`.
///   account        libcurl's account of this failure (CURLOPT_ERRORBUFFER); only OpenSSL's names of alerts are looked
///   for verify_result  CURLINFO_SSL_VERIFYRESULT
std::string connection_words(CURLcode code, const std::string& account, long verify_result, const TlsUse& tls);

}  // namespace attestbed::proxy
