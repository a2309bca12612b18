// SPDX-License-Identifier: Apache-2.0
// What does it cost to believe a report? A real one (Genoa, version 5) and AMD's certificates, at a time when all are
// valid. The floor is the public-key arithmetic that no verifier can do without: three RSA-4096 PSS verifications (ARK,
// ASK, VCEK) and one P-384.
#include <benchmark/benchmark.h>
#include <openssl/ecdsa.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "bench/inputs.h"
#include "core/crypto/openssl/library.h"
#include "core/verify/verify.h"

namespace attestbed::bench {
namespace {

using verify::Certificate;

/// Input is what a relying party holds; every part was checked when it exists.
struct Input {
  Octets report_octets = sample("reports/v5-genoa.bin");
  Octets vcek_der = sample("certs/v5-genoa.vcek.der");
  Octets chain_pem = sample("ca/ask_ark_genoa.pem");
  verify::Time at = unwrap(verify::time_parse("2025-10-01T00:00:00Z"));
  snp::RawReport report = unwrap(verify::check_form(report_octets));
  std::vector<Certificate> vcek = unwrap(Certificate::parse(vcek_der, "VCEK"));
  std::vector<Certificate> chain = unwrap(Certificate::parse(chain_pem, "chain"));
  verify::Vek vek = unwrap(verify::verify_chain(vcek.at(0), chain, verify::TrustedRoots::amd(), at));

  template <class T>
  static T unwrap(verify::Checked<T> checked) {
    if (!checked) throw std::runtime_error(checked.error().text());
    return *std::move(checked);
  }
  Input() { unwrap(verify::verify_report(report, vek)); }
};

/// input is null, and the benchmark skipped, if the input is not accepted.
const Input* input(benchmark::State& state) {
  static std::string why;
  static const std::unique_ptr<const Input> made = []() -> std::unique_ptr<const Input> {
    try {
      return std::make_unique<const Input>();
    } catch (const std::exception& refused) {
      why = refused.what();
      return nullptr;
    }
  }();
  if (!made) state.SkipWithError(why.c_str());
  return made.get();
}

void parse(benchmark::State& state) {
  const Input* const in = input(state);
  if (in == nullptr) return;
  for (auto _ : state) benchmark::DoNotOptimize(snp::parse_report(in->report_octets));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(in->report_octets.size()));
}
BENCHMARK(parse)->Name("report/parse");

void verify_with_chain_cached(benchmark::State& state) {
  const Input* const in = input(state);
  if (in == nullptr) return;
  for (auto _ : state) benchmark::DoNotOptimize(verify::verify_report(in->report, in->vek));
}
BENCHMARK(verify_with_chain_cached)->Name("report/verify, chain cached");

void verify_with_certificates_parsed(benchmark::State& state) {
  const Input* const in = input(state);
  if (in == nullptr) return;
  for (auto _ : state) {
    const auto vek = verify::verify_chain(in->vcek[0], in->chain, verify::TrustedRoots::amd(), in->at);
    benchmark::DoNotOptimize(verify::verify_report(in->report, *vek));
  }
}
BENCHMARK(verify_with_certificates_parsed)->Name("report/verify, certificates parsed");

/// From octets: report, VCEK, and the ASK and ARK as a caller has them who names the root himself.
void verify_from_der(benchmark::State& state) {
  const Input* const in = input(state);
  if (in == nullptr) return;
  const std::vector<std::uint8_t>&ask = in->chain.at(0).der(), &ark = in->chain.at(1).der();
  const auto all = [&]() -> verify::Checked<verify::VerifiedReport> {
    const auto report = verify::check_form(in->report_octets);
    const auto vcek = Certificate::parse(in->vcek_der, "VCEK");
    const auto issuer = Certificate::parse(ask, "ASK");
    const auto root = Certificate::parse(ark, "ARK");
    if (!report || !vcek || !issuer || !root) return verify::Refusal{};
    const auto roots = verify::TrustedRoots::from_certificates(*root);
    if (!roots) return roots.error();
    const auto vek = verify::verify_chain(vcek->at(0), *issuer, *roots, in->at);
    if (!vek) return vek.error();
    return verify::verify_report(*report, *vek);
  };
  const auto once = all();
  if (!once) return state.SkipWithError(once.error().text().c_str());
  for (auto _ : state) benchmark::DoNotOptimize(all());
}
BENCHMARK(verify_from_der)->Name("report/verify, from DER");

/// SignedOctets is a signature check without certificates or reports: key, message, signature.
struct SignedOctets {
  openssl::Key key;
  Octets message, signature;
  bool pss;

  bool verifies() const {
    const openssl::DigestContext context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* options = nullptr;  // belongs to `context`
    if (!context || EVP_DigestVerifyInit_ex(context.get(), &options, "SHA2-384", openssl::library_context(), nullptr,
                                            key.get(), nullptr) != 1) {
      return false;
    }
    if (pss && (EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) != 1 ||
                EVP_PKEY_CTX_set_rsa_pss_saltlen(options, 48) != 1 ||
                EVP_PKEY_CTX_set_rsa_mgf1_md_name(options, "SHA2-384", nullptr) != 1)) {
      return false;
    }
    return EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()) == 1;
  }
};

openssl::X509Handle x509(const Octets& der) {
  X509* empty = X509_new_ex(openssl::library_context(), nullptr);
  const unsigned char* at = der.data();
  return openssl::X509Handle(d2i_X509(&empty, &at, static_cast<long>(der.size())));
}

SignedOctets certificate_signature(const Octets& subject, const Octets& issuer) {
  const openssl::X509Handle certificate = x509(subject), signer = x509(issuer);
  unsigned char* tbs = nullptr;
  const int size = i2d_re_X509_tbs(certificate.get(), &tbs);
  const openssl::Octets owner(tbs);
  const ASN1_BIT_STRING* signature = nullptr;
  X509_get0_signature(&signature, nullptr, certificate.get());
  return {.key = openssl::Key(X509_get_pubkey(signer.get())),
          .message = Octets(tbs, tbs + size),
          .signature = Octets(signature->data, signature->data + signature->length),
          .pss = true};
}

SignedOctets report_signature(const Input& in) {
  Octets r(in.report.signature.r, in.report.signature.r + 48), s(in.report.signature.s, in.report.signature.s + 48);
  const openssl::EcdsaSignature pair(ECDSA_SIG_new());
  ECDSA_SIG_set0(pair.get(), BN_lebin2bn(r.data(), 48, nullptr), BN_lebin2bn(s.data(), 48, nullptr));
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(pair.get(), &der);
  const openssl::Octets owner(der);
  const Bytes message = Bytes(in.report_octets).first(snp::kSignedReportBytes);
  return {.key = openssl::Key(X509_get_pubkey(x509(in.vcek_der).get())),
          .message = Octets(message.begin(), message.end()),
          .signature = Octets(der, der + size),
          .pss = false};
}

void floor_p384(benchmark::State& state) {
  const Input* const in = input(state);
  if (in == nullptr) return;
  const SignedOctets report = report_signature(*in);
  if (!report.verifies()) return state.SkipWithError("input rejected");
  for (auto _ : state) benchmark::DoNotOptimize(report.verifies());
}
BENCHMARK(floor_p384)->Name("report/floor: raw P-384");

void floor_all(benchmark::State& state) {
  const Input* const in = input(state);
  if (in == nullptr) return;
  const Octets &ask = in->chain.at(0).der(), &ark = in->chain.at(1).der();
  const std::array<SignedOctets, 4> all{certificate_signature(ark, ark), certificate_signature(ask, ark),
                                        certificate_signature(in->vcek_der, ask), report_signature(*in)};
  const auto verifies = [](const SignedOctets& one) { return one.verifies(); };
  if (!std::ranges::all_of(all, verifies)) return state.SkipWithError("input rejected");
  for (auto _ : state) benchmark::DoNotOptimize(std::ranges::all_of(all, verifies));
}
BENCHMARK(floor_all)->Name("report/floor: raw 3 x RSA-4096 PSS + P-384");

}  // namespace
}  // namespace attestbed::bench
