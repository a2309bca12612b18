// SPDX-License-Identifier: Apache-2.0
#include "proxy/connection_failure.h"

#include <gtest/gtest.h>

namespace attestbed::proxy {
namespace {

constexpr TlsUse kHttp{}, kNobody{.https = true}, kKnown{.https = true, .own_roots = true, .shows_certificate = true};

// Accounts as libcurl 7.88 with OpenSSL 3.0 gave them. Verify results as OpenSSL's x509_vfy.h numbers them.
struct Case {
  const char* name;
  CURLcode code;
  const char* account;
  long verify_result;
  TlsUse tls;
  const char* says;
};
std::ostream& operator<<(std::ostream& out, const Case& one) {
  return out << one.name;
}
class ConnectionWords : public testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(
    Broker, ConnectionWords,
    testing::Values(
        Case{"unknown issuer", CURLE_PEER_FAILED_VERIFICATION,
             "SSL certificate problem: unable to get local issuer certificate", 20, kNobody,
             "the broker's TLS certificate leads to no root of the system's: give its CA with --ca"},
        Case{"unknown issuer beside --ca", CURLE_PEER_FAILED_VERIFICATION,
             "SSL certificate problem: self-signed certificate in certificate chain", 19, kKnown,
             "the broker's TLS certificate does not lead to a root of --ca"},
        Case{"expired", CURLE_PEER_FAILED_VERIFICATION, "SSL certificate problem: certificate has expired", 10, kNobody,
             "the broker's TLS certificate is out of its dates: see this machine's clock, or renew it"},
        Case{"not yet valid", CURLE_PEER_FAILED_VERIFICATION, "SSL certificate problem: certificate is not yet valid",
             9, kNobody, "the broker's TLS certificate is out of its dates: see this machine's clock, or renew it"},
        Case{"another name", CURLE_PEER_FAILED_VERIFICATION,
             "SSL: no alternative certificate subject name matches target host name '127.0.0.1'", 1, kNobody,
             "the broker's TLS certificate is for another host name than that of --url"},
        Case{
            "asked, TLS 1.3", CURLE_RECV_ERROR,
            "OpenSSL SSL_read: OpenSSL/3.0.19: error:0A00045C:SSL routines::tlsv13 alert certificate required, errno 0",
            0, kNobody, "the broker asks who this proxy is: give --client-cert and --client-key"},
        Case{"asked, and the alert is lost", CURLE_SEND_ERROR,
             "getpeername() failed with errno 107: Transport endpoint is not connected", 0, kNobody,
             "the broker broke off the TLS connection; if the broker asks for a certificate, give --client-cert"},
        Case{"asked, TLS 1.2", CURLE_SSL_CONNECT_ERROR,
             "OpenSSL/3.0.19: error:0A000410:SSL routines::sslv3 alert handshake failure", 0, kNobody,
             "the broker refuses TLS; if the broker asks for a certificate, give --client-cert"},
        Case{"shown, and not taken", CURLE_RECV_ERROR,
             "OpenSSL SSL_read: OpenSSL/3.0.19: error:0A000418:SSL routines::tlsv1 alert unknown ca, errno 0", 0,
             kKnown, "the broker refuses the certificate of --client-cert"},
        Case{"shown, and broken off", CURLE_GOT_NOTHING, "Empty reply from server", 0, kKnown,
             "the broker broke off the TLS connection; does the broker take the certificate of --client-cert?"},
        Case{"no TLS", CURLE_SSL_CONNECT_ERROR, "OpenSSL/3.0.19: error:0A00010B:SSL routines::wrong version number", 0,
             kNobody, "no TLS comes about: does --url name a port that speaks https?"},
        Case{"files that went bad", CURLE_SSL_CERTPROBLEM, "unable to set private key file", 0, kKnown,
             "--client-cert and --client-key do not serve"},
        Case{"no TLS at all", CURLE_RECV_ERROR, "Recv failure: Connection reset by peer", 0, kHttp,
             "Failure when receiving data from the peer"},
        Case{"nobody there", CURLE_COULDNT_CONNECT, "Failed to connect to localhost port 1", 0, kNobody,
             "Couldn't connect to server"}));

TEST_P(ConnectionWords, NameTheOptionThatMends) {
  const Case& one = GetParam();
  EXPECT_EQ(connection_words(one.code, one.account, one.verify_result, one.tls), one.says);
}

}  // namespace
}  // namespace attestbed::proxy
