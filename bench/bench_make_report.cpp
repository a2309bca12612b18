// SPDX-License-Identifier: Apache-2.0
// What does a simulated firmware add to the signature that makes a report a report? A Turin machine of the default seed
// with report version 5. The floor is one raw P-384 signature over as many octets, with a resident key in the library
// context that everything else uses.
#include "bench/interleaved.h"
#include "core/crypto/openssl/library.h"
#include "core/verify/verify.h"
#include "sim/launch_config.h"
#include "sim/make_report.h"

namespace attestbed::bench {
namespace {

/// OurReport makes another report each time, as for guests that each bring their own REPORT_DATA.
class OurReport {
 public:
  OurReport() {
    auto authority = sim::CertificateAuthority::of_default_seed(snp::Product::turin);
    if (!authority) return;
    machine_ = sim::Machine::of(std::make_shared<const sim::CertificateAuthority>(*std::move(authority)));
    machine_.report_version = 5;
    auto guest = sim::launch_guest({machine_, sim::kDefaultPolicy, {}, {}, sim::Seed{1}}, 1);
    if (!guest) return;
    guest_ = *std::move(guest);
    ready_ = verifies();
  }
  bool ready() const { return ready_; }
  bool once() {
    ++request_.report_data[request_.report_data[0] == 0xff ? 1 : 0];
    return sim::make_report(machine_, guest_, request_).has_value();
  }

 private:
  bool verifies() const {
    const auto report = sim::make_report(machine_, guest_, request_);
    const auto ark = verify::Certificate::parse(machine_.authority->ark(), "ARK");
    const auto ask = verify::Certificate::parse(machine_.authority->ask(), "ASK");
    const auto vcek = verify::Certificate::parse(machine_.authority->vcek(), "VCEK");
    if (!report || !ark || !ask || !vcek) return false;
    const auto roots = verify::TrustedRoots::from_certificates(*ark);
    if (!roots) return false;
    const auto vek =
        verify::verify_chain(vcek->front(), *ask, *roots, sim::seeded_not_before() + std::chrono::hours(1));
    return vek && verify::verify_report(*report, *vek);
  }

  sim::Machine machine_;
  sim::GuestContext guest_;
  sim::ReportRequest request_;
  bool ready_ = false;
};

/// RawSignature is the fewest EVP calls that sign 672 octets.
class RawSignature {
 public:
  bool once() {
    const openssl::DigestContext context(EVP_MD_CTX_new());
    std::size_t size = der_.size();
    return context &&
           EVP_DigestSignInit_ex(context.get(), nullptr, "SHA2-384", openssl::library_context(), nullptr, key_.get(),
                                 nullptr) == 1 &&
           EVP_DigestSign(context.get(), der_.data(), &size, message_.data(), message_.size()) == 1 &&
           (size_ = size) != 0;
  }
  bool ready() {
    if (!once()) return false;
    const openssl::DigestContext context(EVP_MD_CTX_new());
    return context &&
           EVP_DigestVerifyInit_ex(context.get(), nullptr, "SHA2-384", openssl::library_context(), nullptr, key_.get(),
                                   nullptr) == 1 &&
           EVP_DigestVerify(context.get(), der_.data(), size_, message_.data(), message_.size()) == 1;
  }

 private:
  const openssl::Key key_{EVP_PKEY_Q_keygen(openssl::library_context(), nullptr, "EC", "P-384")};
  ByteArray<snp::kSignedReportBytes> message_{};
  ByteArray<128> der_{};
  std::size_t size_ = 0;
};

void make_report(benchmark::State& state) {
  OurReport ours;
  if (!ours.ready()) return state.SkipWithError("report not accepted");
  for (auto _ : state) benchmark::DoNotOptimize(ours.once());
}
BENCHMARK(make_report)->Name("report/make");

void target(benchmark::State& state) {
  OurReport ours;
  RawSignature raw;
  if (!ours.ready() || !raw.ready()) return state.SkipWithError("report or signature not accepted");
  report(state, "sim.make_report", timed([&] { return ours.once(); }), timed([&] { return raw.once(); }));
}
BENCHMARK(target)->Name("target/sim.make_report")->Iterations(1);

}  // namespace
}  // namespace attestbed::bench
