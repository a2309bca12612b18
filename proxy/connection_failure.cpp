// SPDX-License-Identifier: Apache-2.0
#include "proxy/connection_failure.h"

#include <initializer_list>

namespace attestbed::proxy {
namespace {

// Values of X509_verify_cert that libcurl passes on. It reports 1 if the chain was good and the name was not.
constexpr long kNameNotFound = 1, kNotYetValid = 9, kExpired = 10;

bool holds_any(const std::string& account, std::initializer_list<const char*> words) {
  for (const char* const word : words) {
    if (account.find(word) != std::string::npos) return true;
  }
  return false;
}

std::string unverified(long verify_result, const TlsUse& tls) {
  switch (verify_result) {
    case 0:
    case kNameNotFound:
      return "the broker's TLS certificate is for another host name than that of --url";
    case kNotYetValid:
    case kExpired:
      return "the broker's TLS certificate is out of its dates: see this machine's clock, or renew it";
    default:
      return tls.own_roots ? "the broker's TLS certificate does not lead to a root of --ca"
                           : "the broker's TLS certificate leads to no root of the system's: give its CA with --ca";
  }
}

// With TLS 1.3 a server judges the client's certificate after the client took the connection for made: its alert comes
// in place of the answer, or is lost with the connection.
std::string broken_off(const std::string& words, const std::string& account, const TlsUse& tls) {
  if (holds_any(account, {"alert certificate required"})) {
    return "the broker asks who this proxy is: give --client-cert and --client-key";
  }
  if (holds_any(account, {"alert bad certificate", "alert unsupported certificate", "alert certificate revoked",
                          "alert certificate expired", "alert certificate unknown", "alert unknown ca",
                          "alert access denied"})) {
    return "the broker refuses the certificate of --client-cert";
  }
  if (tls.shows_certificate) return words + "; does the broker take the certificate of --client-cert?";
  return words + "; if the broker asks for a certificate, give --client-cert";
}

}  // namespace

std::string connection_words(CURLcode code, const std::string& account, long verify_result, const TlsUse& tls) {
  const std::string words = curl_easy_strerror(code);
  switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
      return unverified(verify_result, tls);
    case CURLE_SSL_CACERT_BADFILE:
      return "the roots for TLS cannot be read: see --ca";
    case CURLE_SSL_CERTPROBLEM:
      return "--client-cert and --client-key do not serve";
    case CURLE_SSL_CONNECT_ERROR:
      if (holds_any(account, {" alert "})) return broken_off("the broker refuses TLS", account, tls);
      return "no TLS comes about: does --url name a port that speaks https?";
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
      return tls.https ? broken_off("the broker broke off the TLS connection", account, tls) : words;
    default:
      return words;
  }
}

}  // namespace attestbed::proxy
