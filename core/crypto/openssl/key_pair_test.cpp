// SPDX-License-Identifier: Apache-2.0
#include "core/crypto/key_pair.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include <string>

namespace attestbed::crypto {
namespace {

// Made with `openssl req -x509 -newkey ed25519 -nodes` and twice `openssl genpkey` of OpenSSL 3.0: public, for tests.
const std::string kCertificate =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBNjCB6aADAgECAhRzly51GbuZ1sZ2lt+eNXsMT0+VyzAFBgMrZXAwEDEOMAwG\n"
    "A1UEAwwFZmlyc3QwIBcNMjYxMTI3MTgxMTE5WhgPMjEyNjExMDMxODExMTlaMBAx\n"
    "DjAMBgNVBAMMBWZpcnN0MCowBQYDK2VwAyEAwwQXPrJ1LzZ5NRchn8LTr7gfK3YG\n"
    "SLLGaWnHe64iDgWjUzBRMB0GA1UdDgQWBBTHIQsoc9b+3Fnpc/fkIOxPN9PeVTAf\n"
    "BgNVHSMEGDAWgBTHIQsoc9b+3Fnpc/fkIOxPN9PeVTAPBgNVHRMBAf8EBTADAQH/\n"
    "MAUGAytlcANBAKDi1JI0ZTdwnIGe8QMXyuB6zHKqQzyll80Hf9kEUBJ5idM9gKaH\n"
    "KkSU8ak1YuJGhtAfooHbLZNskCiyWly0igg=\n"
    "-----END CERTIFICATE-----\n";
const std::string kKey =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIOebjgeEuQf+7rnJlfa5K4D+E3hxEO1ssaqDm+cDeMSf\n"
    "-----END PRIVATE KEY-----\n";
const std::string kOtherCertificate =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBNjCB6aADAgECAhQ1zZ9Zq8b0wC6gsTLoeEgvXSaNuTAFBgMrZXAwEDEOMAwG\n"
    "A1UEAwwFb3RoZXIwIBcNMjYxMTI3MTgxMTE5WhgPMjEyNjExMDMxODExMTlaMBAx\n"
    "DjAMBgNVBAMMBW90aGVyMCowBQYDK2VwAyEALY/KlPpIwadzJjWDfBdeXbnLdqLI\n"
    "tJDfPxRvcTeb9DCjUzBRMB0GA1UdDgQWBBRirnYJqEECaR2ioZXdJ+rViCdXVzAf\n"
    "BgNVHSMEGDAWgBRirnYJqEECaR2ioZXdJ+rViCdXVzAPBgNVHRMBAf8EBTADAQH/\n"
    "MAUGAytlcANBAICYIH83YFY9EQxV6B4ZQsxmAL4NqdWEopLrl3NkhcgkCOZw2qti\n"
    "EKK7sa5jGNig5R8VhpzGh+9r2F5r5zCM7go=\n"
    "-----END CERTIFICATE-----\n";
const std::string kOtherKey =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIEX6cei3RFod0lNtm6KmnCPJm5C8q4C4e1S8kFx0NtTF\n"
    "-----END PRIVATE KEY-----\n";
const std::string kEcKey =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg9nU9Zkb97GN/K9os\n"
    "PWs69KK+ELz2gQNTMVjuw438vH2hRANCAAQVIw626rgdxakFQdCm9Hk/WzMBt6rX\n"
    "AofBSM+Po18x+BiEMmdBzm356tw5jxMJeogRCvb1ILzszpy+TiC2NQnI\n"
    "-----END PRIVATE KEY-----\n";
const std::string kEncryptedKey =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAj4VKaX5zr0BQICCAAw\n"
    "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEJa59pluPzAg/UBjDHzyrMgEQI28\n"
    "5CB7vEkwPHh1e0LYcqljWapGXy3enH1kp5snZRKSQtfmmwp11VZHhnvmeKXEEq3S\n"
    "7j4wjd49BFDWzphsdJE=\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";

// PEM that decodes, of DER that does not.
const std::string kBroken =
    "-----BEGIN CERTIFICATE-----\n" + kCertificate.substr(93, 65) + "-----END CERTIFICATE-----\n";

struct Case {
  const char* name;
  std::string certificates, key;
  const char* where;  // null: they are a pair
};
std::ostream& operator<<(std::ostream& out, const Case& one) {
  return out << one.name;
}
class KeyPair : public testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(Pem, KeyPair,
                         testing::Values(Case{"a pair", kCertificate, kKey, nullptr},
                                         Case{"the first of two", kCertificate + kOtherCertificate, kKey, nullptr},
                                         Case{"the second of two", kOtherCertificate + kCertificate, kKey, "pair"},
                                         Case{"another key of its kind", kCertificate, kOtherKey, "pair"},
                                         Case{"a key of another kind", kCertificate, kEcKey, "pair"},
                                         Case{"no certificate", "", kKey, "certificate"},
                                         Case{"a key for a certificate", kKey, kKey, "certificate"},
                                         Case{"half a certificate", kCertificate.substr(0, 200), kKey, "certificate"},
                                         Case{"a certificate without its middle", kBroken, kKey, "certificate"},
                                         Case{"no key", kCertificate, "", "key"},
                                         Case{"a certificate for a key", kCertificate, kCertificate, "key"},
                                         Case{"a key under a passphrase", kCertificate, kEncryptedKey, "key"}));

TEST_P(KeyPair, IsOneOrSaysWhatIsWrong) {
  const Status fits = certificate_fits_key(GetParam().certificates, GetParam().key);
  EXPECT_EQ(ERR_peek_error(), 0U) << "nothing is left for others to stumble over";
  if (GetParam().where == nullptr) {
    EXPECT_TRUE(fits) << fits.error().where;
    return;
  }
  ASSERT_FALSE(fits);
  EXPECT_EQ(fits.error().code, Errc::bad_value);
  EXPECT_STREQ(fits.error().where, GetParam().where);
}

}  // namespace
}  // namespace attestbed::crypto
