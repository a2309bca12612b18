// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <curl/curl.h>

#include <string>

#include "proxy/http_client.h"

namespace attestbed::proxy {

/// connection_words is why libcurl brought no answer, for a guest and for whoever runs the proxy: of TLS failures with
/// the option that mends them, of others libcurl's own words for `code`.
///   account        libcurl's account of this failure (CURLOPT_ERRORBUFFER); read for OpenSSL's names of alerts alone
///   verify_result  CURLINFO_SSL_VERIFYRESULT
std::string connection_words(CURLcode code, const std::string& account, long verify_result, const TlsUse& tls);

}  // namespace attestbed::proxy
