// SPDX-License-Identifier: Apache-2.0
#pragma once

// For the tests of core/verify: chains in AMD's form under public test keys, one thing at a time made wrong.
#include <string>
#include <utility>
#include <vector>

#include "core/crypto/openssl/handles.h"
#include "core/snp/report.h"
#include "core/verify/verify.h"

namespace attestbed::verify::test {

using Octets = std::vector<std::uint8_t>;

/// read_file of a path below core/verify/testdata; fails the test if it is not there.
Octets read_testdata(const std::string& path);

/// certificates_in parses every file of core/verify/testdata/<folder>.
std::vector<Certificate> certificates_in(const std::string& folder);

Time at(const char* rfc3339);

struct Attribute {
  int nid;
  std::string value;
  int type = V_ASN1_UTF8STRING;
};
using Name = std::vector<Attribute>;
Name amd_name(const std::string& common_name);

struct Extension {
  std::string oid;
  Octets octets;
  bool critical = false;
};

enum class Algorithm { pss, pss_salt_32, pss_sha256, pkcs1 };

struct Spec {
  Name subject, issuer;
  EVP_PKEY* key = nullptr;
  EVP_PKEY* issuer_key = nullptr;
  std::vector<Extension> extensions = {};
  const char* not_before = "2024-01-01T00:00:00Z";
  const char* not_after = "2034-01-01T00:00:00Z";
  Algorithm algorithm = Algorithm::pss;
  long version = 2;

  /// extension finds one by OID, to be changed.
  Extension& extension(const std::string& oid);
  void drop(const std::string& oid);
};

Octets der_of(const Spec& spec);
Certificate make(const Spec& spec);

/// expect_declared fails the test unless verification_checks()[check] says that it may fail with `code`.
void expect_declared(std::size_t check, Errc code);

/// The keys: `ark`, `ask`, `foreign` are RSA-4096 from testdata/keys, the others made once in this process.
EVP_PKEY* ark_key();
EVP_PKEY* ask_key();
EVP_PKEY* foreign_key();
EVP_PKEY* rsa_2048_key();
EVP_PKEY* vek_key();
EVP_PKEY* p256_key();
EVP_PKEY* explicit_p384_key();

/// crl_points is a cRLDistributionPoints value as OpenSSL writes it.
Octets crl_points(const std::vector<std::string>& urls);

std::string amd_oid(const std::string& suffix);

Spec ark_spec(const std::string& product);
Spec ask_spec(const std::string& product);
Spec asvk_spec(const std::string& product);
Spec vcek_spec(snp::Product product);  // SPLs tcb_for, hwID chip_id_for
Spec vlek_spec(snp::Product product);

snp::Tcb tcb_for(snp::Product product);
snp::ChipId chip_id_for(snp::Product product);

/// report_for is a valid unsigned report of version 3 that fits vcek_spec(product).
snp::RawReport report_for(snp::Product product);
void sign(snp::RawReport& report, EVP_PKEY* key);

}  // namespace attestbed::verify::test
