// SPDX-License-Identifier: Apache-2.0
// attestbed_bench_load, what bench/bench_load.py does not do itself. One JSON object on standard output. Exit: 0 done,
// 2 usage, 3 could not.
//   prepare DIR                            DIR becomes the authority's directory; prints the guests' measurement
//   run SOCKET GUESTS ATTEMPTS BINDING KEY  guests attest at a proxy; prints times and what failed
//   floor                                  CPU of what a broker cannot do without for one attestation
#include <algorithm>
#include <charconv>
#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "bench/interleaved.h"
#include "bench/load_guests.h"
#include "core/posix/describe.h"
#include "core/verify/verify.h"
#include "mock-kbs/es256.h"

namespace {

using namespace attestbed;
using nlohmann::json;

template <class Expected>
auto unwrap(Expected value, const char* what) {
  if (!value) throw std::runtime_error(std::string(what) + " failed");
  return *std::move(value);
}

snp::RawReport report_of_a_guest() {
  bench::LoadGuest guest;
  if (!guest.launch()) throw std::runtime_error("a guest cannot be launched");
  return unwrap(guest.report(), "a report");
}

json prepare(const std::string& directory) {
  auto authority = unwrap(sim::CertificateAuthority::of_default_seed(snp::Product::milan), "the authority");
  if (!authority.save(directory)) throw std::runtime_error("cannot write " + directory);
  const snp::RawReport report = report_of_a_guest();
  return {{"measurement", posix::to_hex(report.measurement)}};
}

// The nearest rank: the least time that so many of a hundred attempts did not exceed.
double percentile(const std::vector<double>& ascending, double of_hundred) {
  if (ascending.empty()) return 0;
  const auto rank = static_cast<std::size_t>(std::ceil(of_hundred / 100 * static_cast<double>(ascending.size())));
  return ascending[std::max<std::size_t>(rank, 1) - 1];
}

int number(const std::string& text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 1)
    throw std::runtime_error("no number: " + text);
  return value;
}

json run(const std::vector<std::string>& words) {
  AttestConfig config{.secret_auth = SecretAuth::none, .budget = std::chrono::seconds(120)};
  config.terms.binding = unwrap(protocol::binding_named(words.at(4), "BINDING"), "BINDING");
  config.terms.key = unwrap(protocol::key_type_named(words.at(5), "KEY"), "KEY");
  const auto result =
      unwrap(bench::run_load(words.at(1), number(words.at(2)), number(words.at(3)), config), "launching the guests");
  json failed = json::object();
  for (const auto& [code, times] : result.failed) failed[code] = times;
  return {{"released", result.ms.size()},
          {"failed", failed},
          {"seconds", result.seconds},
          {"p50_ms", percentile(result.ms, 50)},
          {"p95_ms", percentile(result.ms, 95)},
          {"p99_ms", percentile(result.ms, 99)},
          {"worst_ms", percentile(result.ms, 100)}};
}

// What a broker that knows its certificates' octets by heart still computes: a chain and a report verified, a P-521 key
// and its exchange, an ES256 signature. With the chain cached, the report's signature alone of the first two.
class Floor {
 public:
  Floor() {
    const auto* const machine = bench::load_machine();
    if (machine == nullptr) throw std::runtime_error("no machine");
    report_ = report_of_a_guest();
    const sim::CertificateAuthority& authority = *machine->authority;
    const std::string chain = unwrap(authority.cert_chain(sim::VekLine::vcek), "the chain");
    certificates_ = unwrap(verify::Certificate::parse(bytes_of(chain), "chain"), "the chain");
    vcek_ = unwrap(verify::Certificate::parse(authority.vcek(), "VCEK"), "the VCEK");
    roots_.emplace(unwrap(verify::TrustedRoots::from_certificates(std::span(certificates_).subspan(1)), "the root"));
    at_ = std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now());
    vek_.emplace(unwrap(verify::verify_chain(vcek_.at(0), certificates_, *roots_, at_), "the chain"));
    crypto::EcKey signer;
    if (!signer.generate(crypto::Curve::p256, entropy_)) throw std::runtime_error("no P-256 key");
    es256_.emplace(unwrap(kbs::Es256Key::from(signer), "the ES256 key"));
    if (!guest_.generate(crypto::Curve::p521, entropy_)) throw std::runtime_error("no P-521 key");
  }
  bool parsed() {
    const auto vek = verify::verify_chain(vcek_.at(0), certificates_, *roots_, at_);
    return vek && verify::verify_report(report_, *vek) && the_rest();
  }
  bool cached() { return verify::verify_report(report_, *vek_) && the_rest(); }

 private:
  bool the_rest() {
    return own_.generate(crypto::Curve::p521, entropy_) && crypto::ecdh(own_, guest_.point(), shared_) &&
           es256_->sign(text_);
  }
  snp::RawReport report_;
  std::vector<verify::Certificate> certificates_, vcek_;
  std::optional<verify::TrustedRoots> roots_;
  verify::Time at_{};
  std::optional<verify::Vek> vek_;
  std::optional<kbs::Es256Key> es256_;
  posix::KernelEntropy entropy_;
  crypto::EcKey guest_, own_;
  crypto::EcSharedSecret shared_;
  const std::string text_ = std::string(2000, 't');  // about a token's size
};

// The middle one of many turns: what a core takes beside the neighbours that it has.
double median_ms(const std::function<bool()>& work) {
  constexpr int kTurns = 401;
  const bench::Side side = bench::timed(work);
  std::vector<double> ms;
  for (int i = 0; i < kTurns; ++i) {
    const double seconds = side(1);
    if (seconds < 0) throw std::runtime_error("the floor's work is refused");
    ms.push_back(1e3 * seconds);
  }
  std::ranges::sort(ms);
  return ms[kTurns / 2];
}

json floor_of_a_broker() {
  Floor floor;
  return {{"parsed_ms", median_ms([&] { return floor.parsed(); })},
          {"cached_ms", median_ms([&] { return floor.cached(); })}};
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  try {
    if (words.size() == 2 && words[0] == "prepare") {
      std::cout << prepare(words[1]) << "\n";
    } else if (words.size() == 6 && words[0] == "run") {
      std::cout << run(words) << "\n";
    } else if (words.size() == 1 && words[0] == "floor") {
      std::cout << floor_of_a_broker() << "\n";
    } else {
      std::cerr << "usage: attestbed_bench_load prepare DIR | run SOCKET GUESTS ATTEMPTS BINDING KEY | floor\n";
      return 2;
    }
  } catch (const std::exception& failed) {
    std::cerr << "attestbed_bench_load: " << failed.what() << "\n";
    return 3;
  }
  return 0;
}
