// SPDX-License-Identifier: Apache-2.0
// What does it cost to believe a report? A real one (Genoa, version 5) and AMD's certificates, at a time when all are
// valid. The floor is public-key arithmetic: three RSA-4096 PSS verifications (ARK, ASK, VCEK) and one P-384. Whose
// root was checked when it became trusted needs only two of the three.
#include <openssl/ecdsa.h>
#include <openssl/rsa.h>

#include <array>
#include <stdexcept>

#include "bench/inputs.h"
#include "bench/interleaved.h"
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

bool verify_cached(const Input& in) {
  return verify::verify_report(in.report, in.vek).has_value();
}

bool verify_parsed(const Input& in) {
  const auto vek = verify::verify_chain(in.vcek[0], in.chain, verify::TrustedRoots::amd(), in.at);
  return vek && verify::verify_report(in.report, *vek);
}

/// From octets: report, VCEK, and the ASK and ARK as a caller has them who names the root himself.
bool verify_from_der(const Input& in) {
  const auto report = verify::check_form(in.report_octets);
  const auto vcek = Certificate::parse(in.vcek_der, "VCEK");
  const auto ask = Certificate::parse(in.chain[0].der(), "ASK");
  const auto ark = Certificate::parse(in.chain[1].der(), "ARK");
  if (!report || !vcek || !ask || !ark) return false;
  const auto roots = verify::TrustedRoots::from_certificates(*ark);
  if (!roots) return false;
  const auto vek = verify::verify_chain(vcek->at(0), *ask, *roots, in.at);
  return vek && verify::verify_report(*report, *vek);
}

void repeat(benchmark::State& state, bool (*verifies)(const Input&)) {
  const Input* const in = input(state);
  if (in == nullptr) return;
  if (!verifies(*in)) return state.SkipWithError("input rejected");
  for (auto _ : state) benchmark::DoNotOptimize(verifies(*in));
}
BENCHMARK_CAPTURE(repeat, cached, verify_cached)->Name("report/verify, chain cached");
BENCHMARK_CAPTURE(repeat, parsed, verify_parsed)->Name("report/verify, certificates parsed");
BENCHMARK_CAPTURE(repeat, from_der, verify_from_der)->Name("report/verify, from DER");

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

/// Floor is the arithmetic alone, on the same signatures.
struct Floor {
  SignedOctets report;
  std::array<SignedOctets, 3> certificates;

  explicit Floor(const Input& in)
      : report(report_signature(in)),
        certificates{certificate_signature(in.chain.at(1).der(), in.chain.at(1).der()),
                     certificate_signature(in.chain.at(0).der(), in.chain.at(1).der()),
                     certificate_signature(in.vcek_der, in.chain.at(0).der())} {}
  bool p384() const { return report.verifies(); }
  bool all() const { return certificates[0].verifies() && below_root(); }
  /// below_root leaves out the root's own signature, which does not count for a root that is trusted already.
  bool below_root() const { return certificates[1].verifies() && certificates[2].verifies() && p384(); }
};

void floor(benchmark::State& state, bool (Floor::*verifies)() const) {
  const Input* const in = input(state);
  if (in == nullptr) return;
  const Floor floor(*in);
  if (!(floor.*verifies)()) return state.SkipWithError("input rejected");
  for (auto _ : state) benchmark::DoNotOptimize((floor.*verifies)());
}
BENCHMARK_CAPTURE(floor, p384, &Floor::p384)->Name("report/floor: raw P-384");
BENCHMARK_CAPTURE(floor, below_root, &Floor::below_root)->Name("report/floor: raw 2 x RSA-4096 PSS + P-384");
BENCHMARK_CAPTURE(floor, all, &Floor::all)->Name("report/floor: raw 3 x RSA-4096 PSS + P-384");

void target(benchmark::State& state, const char* name, bool (*ours)(const Input&), bool (Floor::*raw)() const) {
  const Input* const in = input(state);
  if (in == nullptr) return;
  const Floor floor(*in);
  report(state, name, timed([&] { return ours(*in); }), timed([&] { return (floor.*raw)(); }));
}

/// The goal's divisor has a verification more than the work: beside the value stands the ratio to what is really done.
void target_parsed(benchmark::State& state) {
  const Input* const in = input(state);
  if (in == nullptr) return;
  const Floor floor(*in);
  const Side ours = timed([&] { return verify_parsed(*in); });
  for (auto _ : state) {
    const Comparison goal = compare(ours, timed([&] { return floor.all(); }));
    const Comparison done = compare(ours, timed([&] { return floor.below_root(); }));
    if (goal.ratio < 0 || done.ratio < 0) return state.SkipWithError("input rejected");
    state.counters["verify.certificates_parsed"] = goal.ratio;
    state.SetLabel(goal.text + "; over the two RSA-4096 PSS and one P-384 that ours makes: " + done.text);
  }
}
BENCHMARK(target_parsed)->Name("target/verify.certificates_parsed")->Iterations(1);

BENCHMARK_CAPTURE(target, from_der, "verify.from_der", verify_from_der, &Floor::all)
    ->Name("target/verify.from_der")
    ->Iterations(1);
BENCHMARK_CAPTURE(target, cached, "verify.chain_cached", verify_cached, &Floor::p384)
    ->Name("target/verify.chain_cached")
    ->Iterations(1);

}  // namespace
}  // namespace attestbed::bench
