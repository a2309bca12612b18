// SPDX-License-Identifier: Apache-2.0
// What does it cost the guest to read the host's answers? Both recorded frames, to typed fields of the right lengths
// with base64 decoded. Ours decodes in place, so each turn begins with a copy of the text, which counts.
//   nlohmann   the usual way: a parsed document, then OpenSSL's EVP_DecodeBlock. It does less: nothing looks for
//              doubled members, unknown challenge lengths or trailing bits
#include <openssl/evp.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "bench/inputs.h"
#include "bench/interleaved.h"
#include "core/protocol/attestation.h"
#include "core/protocol/frame.h"

namespace attestbed::bench {
namespace {

using nlohmann::json;

Bytes body(const Octets& frame) {
  return Bytes(frame).subspan(protocol::kFramePrefixBytes);
}

/// Answers is what a guest needs of them.
struct Answers {
  Octets challenge, secret, aad;
  ByteArray<66> epk_x{}, epk_y{};
  ByteArray<40> wrapped_cek{};
  ByteArray<12> iv{};
  ByteArray<16> tag{};
};

/// decode_block is EVP_DecodeBlock without the octets that it makes of padding. Negative if it is no base64.
long decode_block(const std::string& text, unsigned char* into) {
  const int size =
      EVP_DecodeBlock(into, reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (size < 0) return size;
  return size - text.ends_with('=') - text.ends_with("==");
}

bool decode(const json& text, Octets& into) {
  const std::string& digits = text.get_ref<const std::string&>();
  into.resize(digits.size() / 4 * 3 + 3);
  const long size = decode_block(digits, into.data());
  into.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  return size >= 0;
}

template <std::size_t N>
bool decode(const json& text, ByteArray<N>& into) {
  const std::string& digits = text.get_ref<const std::string&>();
  if (digits.size() != (N + 2) / 3 * 4) return false;
  unsigned char room[(N + 2) / 3 * 3];
  if (decode_block(digits, room) != static_cast<long>(N)) return false;
  std::memcpy(into.data(), room, N);
  return true;
}

bool decode_with_nlohmann(Bytes negotiation, Bytes attestation, Answers& into) {
  const json first = json::parse(negotiation.begin(), negotiation.end());
  if (first.at("params") != json::array({"EcPublicKeyBytes", "Challenge"})) return false;
  if (!decode(first.at("challenge"), into.challenge)) return false;
  const json second = json::parse(attestation.begin(), attestation.end());
  if (!second.at("success").get<bool>()) return false;
  const json& decryption = second.at("decryption");
  const json& epk = decryption.at("epk");
  return decode(second.at("secret"), into.secret) && decode(epk.at("x"), into.epk_x) &&
         decode(epk.at("y"), into.epk_y) && decode(decryption.at("wrapped_cek"), into.wrapped_cek) &&
         decode(decryption.at("aad"), into.aad) && decode(decryption.at("iv"), into.iv) &&
         decode(decryption.at("tag"), into.tag);
}

/// Ours holds the receive buffer.
struct Ours {
  Octets memory = Octets(protocol::kMaxFrameBytes);

  MutBytes fresh(Bytes text) {
    std::memcpy(memory.data(), text.data(), text.size());
    return MutBytes(memory).first(text.size());
  }
  bool decode(Bytes negotiation, Bytes attestation) {
    const auto first = protocol::decode_negotiation_response(fresh(negotiation), nullptr);
    benchmark::DoNotOptimize(first);
    const auto second = protocol::decode_attestation_response(fresh(attestation), protocol::KeyType::p521);
    benchmark::DoNotOptimize(second);
    return first && second && second->success;
  }
  /// agrees says whether `theirs` is what we read, field for field.
  bool agrees(Bytes negotiation, Bytes attestation, const Answers& theirs) {
    const auto first = protocol::decode_negotiation_response(fresh(negotiation), nullptr);
    if (!first || !equal_ct(first->challenge->octets(), theirs.challenge)) return false;
    const auto second = protocol::decode_attestation_response(fresh(attestation), protocol::KeyType::p521);
    if (!second || !second->decryption || !second->secret) return false;
    const protocol::Decryption& read = *second->decryption;
    return equal_ct(*second->secret, theirs.secret) && equal_ct(read.aad, theirs.aad) && read.iv == theirs.iv &&
           read.tag == theirs.tag && read.wrapped_cek == protocol::WrappedCek(theirs.wrapped_cek) &&
           equal_ct(read.epk->x(), theirs.epk_x) && equal_ct(read.epk->y(), theirs.epk_y);
  }
};

/// Messages are the recorded answers, or the same with the largest secret there may be.
struct Messages {
  Octets negotiation, attestation;

  explicit Messages(bool largest) {
    const Bytes first = body(aproxy_case().negotiation_response), second = body(aproxy_case().attestation_response);
    negotiation.assign(first.begin(), first.end());
    attestation.assign(second.begin(), second.end());
    if (!largest) return;
    json answer = json::parse(attestation);
    const Octets secret(32 * 1024, 0x5a);
    std::string digits((secret.size() + 2) / 3 * 4, '\0');
    EVP_EncodeBlock(reinterpret_cast<unsigned char*>(digits.data()), secret.data(), static_cast<int>(secret.size()));
    answer["secret"] = digits;
    const std::string text = answer.dump();
    attestation.assign(text.begin(), text.end());
  }
};

bool accepted(const Messages& messages) {
  Answers theirs;
  return decode_with_nlohmann(messages.negotiation, messages.attestation, theirs) &&
         Ours().agrees(messages.negotiation, messages.attestation, theirs);
}

void ours(benchmark::State& state, bool largest) {
  const Messages messages(largest);
  if (!accepted(messages)) return state.SkipWithError("input rejected");
  Ours reader;
  for (auto _ : state) benchmark::DoNotOptimize(reader.decode(messages.negotiation, messages.attestation));
}
void nlohmann_and_evp(benchmark::State& state, bool largest) {
  const Messages messages(largest);
  if (!accepted(messages)) return state.SkipWithError("input rejected");
  Answers answers;
  for (auto _ : state) {
    benchmark::DoNotOptimize(decode_with_nlohmann(messages.negotiation, messages.attestation, answers));
  }
}
BENCHMARK_CAPTURE(ours, recorded, false)->Name("decode/recorded answers/ours");
BENCHMARK_CAPTURE(nlohmann_and_evp, recorded, false)->Name("decode/recorded answers/nlohmann");
BENCHMARK_CAPTURE(ours, largest, true)->Name("decode/secret of 32 KiB/ours");
BENCHMARK_CAPTURE(nlohmann_and_evp, largest, true)->Name("decode/secret of 32 KiB/nlohmann");

Comparison decoders_compared(bool largest) {
  const Messages messages(largest);
  if (!accepted(messages)) return {-1, -1, "input rejected"};
  Ours reader;
  Answers answers;
  return compare(timed([&] { return decode_with_nlohmann(messages.negotiation, messages.attestation, answers); }),
                 timed([&] { return reader.decode(messages.negotiation, messages.attestation); }));
}

void target_decoders(benchmark::State& state) {
  for (auto _ : state) {
    const Comparison recorded = decoders_compared(false), largest = decoders_compared(true);
    if (recorded.ratio < 0 || largest.ratio < 0) return state.SkipWithError("input rejected");
    state.counters["guest.decoders"] = std::min(recorded.ratio, largest.ratio);
    state.SetLabel("recorded: " + recorded.text + "; secret of 32 KiB: " + largest.text);
  }
}
BENCHMARK(target_decoders)->Name("target/guest.decoders")->Iterations(1);

}  // namespace
}  // namespace attestbed::bench
