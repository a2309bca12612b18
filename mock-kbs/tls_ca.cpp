// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/tls_ca.h"

#include <arpa/inet.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "core/crypto/openssl/library.h"
#include "core/posix/describe.h"

namespace attestbed::kbs {
namespace {

constexpr std::size_t kMaxNames = 16;
constexpr std::size_t kMaxNameOctets = 253;  // RFC 1035 section 2.3.4, without the root's dot
constexpr long kClockSkewSeconds = 60;

struct Extension {
  int nid;
  std::string value;
};

// One certificate, before it is signed.
struct Subject {
  const char* common_name;
  std::vector<Extension> extensions;
};

Refusal failed(const char* what) {
  return {Errc::internal, "X.509", what, "a failure of OpenSSL"};
}

bool is_address(const std::string& name) {
  in_addr v4{};
  in6_addr v6{};
  return ::inet_pton(AF_INET, name.c_str(), &v4) == 1 || ::inet_pton(AF_INET6, name.c_str(), &v6) == 1;
}

bool is_host_name(const std::string& name) {
  return !name.empty() && name.size() <= kMaxNameOctets && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  });
}

Checked<std::string> alternative_names(const std::vector<std::string>& names) {
  if (names.empty() || names.size() > kMaxNames) {
    return Refusal{Errc::bad_config, "name", "1 to " + std::to_string(kMaxNames) + " names",
                   std::to_string(names.size())};
  }
  std::string text;
  for (const std::string& name : names) {
    const bool address = is_address(name);
    if (!address && !is_host_name(name)) {
      return Refusal{Errc::bad_config, "name", "a host name or a numeric address", verify::printable(name, 64)};
    }
    text += (text.empty() ? "" : ",") + std::string(address ? "IP:" : "DNS:") + name;
  }
  return text;
}

openssl::Key new_key() {
  return openssl::Key(EVP_PKEY_Q_keygen(openssl::library_context(), nullptr, "EC", "P-256"));
}

bool add_extensions(X509* certificate, X509* issuer, const std::vector<Extension>& extensions) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  return std::ranges::all_of(extensions, [&](const Extension& extension) {
    const openssl::X509ExtensionHandle made(
        X509V3_EXT_conf_nid(nullptr, &context, extension.nid, extension.value.c_str()));
    return made && X509_add_ext(certificate, made.get(), -1) == 1;
  });
}

// RFC 5280 section 4.1.2.2: positive, at most 20 octets.
bool set_serial(X509* certificate) {
  ByteArray<16> octets;
  if (RAND_bytes_ex(openssl::library_context(), octets.data(), octets.size(), 0) != 1) return false;
  octets[0] = static_cast<std::uint8_t>((octets[0] & 0x7f) | 0x40);
  const openssl::Number number(BN_bin2bn(octets.data(), static_cast<int>(octets.size()), nullptr));
  return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool set_times(X509* certificate, verify::Time now, unsigned days) {
  const time_t from = static_cast<time_t>(now.time_since_epoch().count()) - kClockSkewSeconds;
  return ASN1_TIME_set(X509_getm_notBefore(certificate), from) != nullptr &&
         ASN1_TIME_adj(X509_getm_notAfter(certificate), from, static_cast<int>(days), 0) != nullptr;
}

// Signed by `issuer_key`; a certificate without an issuer is its own.
openssl::X509Handle sign(const Subject& subject, EVP_PKEY* key, X509* issuer, EVP_PKEY* issuer_key, verify::Time now,
                         unsigned days) {
  openssl::X509Handle made(X509_new_ex(openssl::library_context(), nullptr));
  X509* const certificate = made.get();
  if (certificate == nullptr) return nullptr;
  X509* const by = issuer == nullptr ? certificate : issuer;
  X509_NAME* const name = X509_get_subject_name(certificate);
  const auto* text = reinterpret_cast<const unsigned char*>(subject.common_name);
  const bool good = X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
                    set_times(certificate, now, days) &&
                    X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_ASC, text, -1, -1, 0) == 1 &&
                    X509_set_issuer_name(certificate, X509_get_subject_name(by)) == 1 &&
                    X509_set_pubkey(certificate, key) == 1 && add_extensions(certificate, by, subject.extensions) &&
                    X509_sign(certificate, issuer_key, EVP_sha256()) > 0;
  return good ? std::move(made) : nullptr;
}

Checked<void> write(const std::string& path, BIO* bio, bool good) {
  char* octets = nullptr;
  const long size = BIO_get_mem_data(bio, &octets);
  if (!good || size <= 0) return failed("to write PEM");
  const Bytes text(reinterpret_cast<const std::uint8_t*>(octets), static_cast<std::size_t>(size));
  const Status written = posix::write_file_private(path, text);
  if (!written) return Refusal{Errc::io_failed, path, "a new file", posix::describe(written.error())};
  return {};
}

Checked<void> write_certificate(const std::string& path, X509* certificate) {
  const openssl::Bio bio(BIO_new(BIO_s_mem()));
  return write(path, bio.get(), PEM_write_bio_X509(bio.get(), certificate) == 1);
}

Checked<void> write_key(const std::string& path, EVP_PKEY* key) {
  const openssl::Bio bio(BIO_new(BIO_s_secmem()));
  return write(path, bio.get(),
               PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
}

Subject leaf(const char* common_name, const char* usage, std::string names) {
  Subject subject{.common_name = common_name,
                  .extensions = {{NID_basic_constraints, "critical,CA:FALSE"},
                                 {NID_key_usage, "critical,digitalSignature"},
                                 {NID_ext_key_usage, usage},
                                 {NID_subject_key_identifier, "hash"},
                                 {NID_authority_key_identifier, "keyid:always"}}};
  if (!names.empty()) subject.extensions.push_back({NID_subject_alt_name, std::move(names)});
  return subject;
}

}  // namespace

Checked<void> make_test_ca(const std::string& directory, const TestCa& ca, verify::Time now) {
  const openssl::ErrorScope errors;
  const std::string names = TRY(alternative_names(ca.names));
  if (ca.days == 0 || ca.days > kMaxTestCaDays) {
    return Refusal{Errc::bad_config, "days", "1 to " + std::to_string(kMaxTestCaDays), std::to_string(ca.days)};
  }
  const Subject root{.common_name = "attestbed test CA, for tests alone",
                     .extensions = {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                                    {NID_key_usage, "critical,keyCertSign,cRLSign"},
                                    {NID_subject_key_identifier, "hash"}}};
  const openssl::Key ca_key = new_key(), server_key = new_key(), client_key = new_key();
  if (!ca_key || !server_key || !client_key) return failed("keys of P-256");
  const openssl::X509Handle issuer = sign(root, ca_key.get(), nullptr, ca_key.get(), now, ca.days);
  if (!issuer) return failed("to sign the CA");
  const openssl::X509Handle server =
      sign(leaf("mock-kbs", "serverAuth", names), server_key.get(), issuer.get(), ca_key.get(), now, ca.days);
  const openssl::X509Handle client =
      sign(leaf("attest-proxy", "clientAuth", {}), client_key.get(), issuer.get(), ca_key.get(), now, ca.days);
  if (!server || !client) return failed("to sign the leaves");
  if (::mkdir(directory.c_str(), S_IRWXU) != 0) {
    return Refusal{Errc::io_failed, directory, "a directory that can be made", std::generic_category().message(errno)};
  }
  TRY(write_certificate(directory + "/ca.pem", issuer.get()));
  TRY(write_certificate(directory + "/server.pem", server.get()));
  TRY(write_key(directory + "/server.key", server_key.get()));
  TRY(write_certificate(directory + "/client.pem", client.get()));
  TRY(write_key(directory + "/client.key", client_key.get()));
  return {};
}

}  // namespace attestbed::kbs
