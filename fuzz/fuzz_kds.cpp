// SPDX-License-Identifier: Apache-2.0
// Property: a KDS target that the server reads is the one that the client would have written for what was read; an
// answer passes for one request alone, whatever octets it holds (edits of AMD's own certificates: at:2 xor:1 …); a CRL
// that parses has a revocation that somebody must have signed; what is scripted reads back the same. The first octet
// chooses.
#include <algorithm>

#include "core/base/reader.h"
#include "core/base/wire.h"
#include "fuzz/amd_samples.h"
#include "fuzz/must.h"
#include "kds-client/exchange.h"
#include "sim/kds/fault.h"
#include "sim/kds/path.h"

using namespace attestbed;
using fuzz::must;

namespace {

void check_target(Bytes input) {
  const auto ask = sim::parse_kds_target(text_of(input));
  if (!ask || ask->what != sim::KdsAsk::What::vcek) return;
  snp::ChipId chip{};
  must(ask->hardware_id.size() <= chip.size(), "a hardware id of the product's length");
  std::ranges::copy(ask->hardware_id, chip.begin());
  const auto request = kds::Request::vcek(ask->product, chip, ask->tcb);
  const bool zero = std::ranges::all_of(chip, [](std::uint8_t octet) { return octet == 0; });
  must(request.has_value() == !zero, "the client asks for every chip but the masked one");
  if (request) must(sim::parse_kds_target(request->target()) == ask, "and means the same");
}

void check_fault(Bytes input) {
  const auto fault = sim::parse_kds_fault(text_of(input));
  if (!fault) return;
  const auto again = sim::parse_kds_fault(sim::kds_fault_text(*fault));
  must(again && *again == *fault, "a fault reads back the same");
}

void check_retry_after(Bytes input) {
  const auto wait = kds::retry_after_seconds(text_of(input));
  must(!wait || (wait->count() >= 0 && wait->count() <= 86400), "within a day");
}

kds::Request request_for(const verify::VekExtensions& said) {
  snp::ChipId chip{};
  std::ranges::copy(said.hardware_id, chip.begin());
  return *kds::Request::vcek(said.product, chip, said.tcb);
}

void check_vcek(Bytes input) {
  const auto& samples = fuzz::amd_samples().veks;
  Reader edits(input);
  const auto which = edits.copy<ByteArray<1>>("which");
  if (!which) return;
  const verify::Vek& sample = samples[(*which)[0] % samples.size()];
  if (sample.kind() != verify::Certificate::Kind::vcek) return;
  std::vector<std::uint8_t> der = sample.certificate().der();
  while (edits.left() >= 3) {
    const std::size_t at = *edits.copy<le16>("at");
    der[at % der.size()] ^= (*edits.copy<ByteArray<1>>("mask"))[0];
  }
  const auto parsed = verify::Certificate::parse(der, "fuzz");
  const bool vcek = parsed && parsed->front().kind() == verify::Certificate::Kind::vcek;
  const bool legible = vcek && parsed->front().vek_extensions().has_value();
  const verify::VekExtensions original = *sample.certificate().vek_extensions();
  const bool passes = request_for(original).check_answer(der, "fuzz").has_value();
  must(!passes || legible, "what passes is a VCEK");
  if (!legible) return;
  const verify::VekExtensions& said = *parsed->front().vek_extensions();
  const bool same =
      said.product == original.product && said.tcb == original.tcb && said.hardware_id == original.hardware_id;
  must(passes == same, "it passes for its own chip, TCB and product, and for no other");
}

void check_answers(Bytes input) {
  using enum kds::Hierarchy;
  int passed = 0;
  for (const snp::Product product : {snp::Product::milan, snp::Product::genoa, snp::Product::turin}) {
    for (const kds::Hierarchy hierarchy : {vcek, vlek}) {
      passed += kds::Request::cert_chain(product, hierarchy).check_answer(input, "fuzz") ? 1 : 0;
    }
    // Both hierarchies have the ARK's one CRL.
    passed += kds::Request::crl(product, vcek).check_answer(input, "fuzz") ? 1 : 0;
  }
  must(passed <= 1, "an answer is one thing");
}

void check_crl(Bytes input) {
  const auto crl = verify::Crl::parse(input, "fuzz");
  if (!crl) return;
  for (const verify::Vek& vek : fuzz::amd_samples().veks) {
    must(!verify::check_revocation(vek, {&*crl, 1}, fuzz::kSampleTime), "nobody here can sign for AMD's roots");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr void (*kChecks[])(Bytes) = {check_target, check_fault,   check_retry_after,
                                        check_vcek,   check_answers, check_crl};
  kChecks[data[0] % std::size(kChecks)](Bytes(data, size).subspan(1));
  return 0;
}
