// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/inputs.h"
#include "core/platform/entropy.h"
#include "core/platform/transport.h"
#include "core/protocol/frame.h"
#include "core/protocol/negotiation.h"

// The recorded attestation, replayed to a guest. That works because the key comes from Entropy: with the vector's
// scalar the recorded answer opens.
namespace attestbed::bench {

class VectorEntropy final : public Entropy {
 public:
  Status fill(MutBytes into) override {
    const Octets& scalar = aproxy_case().scalar;
    if (into.size() != scalar.size()) return Error{Errc::bad_length, "VectorEntropy", into.size(), scalar.size()};
    std::ranges::copy(scalar, into.begin());
    return ok();
  }
};

/// ReplayedHost answers whatever it is asked with the vector's two frames, in turn.
class ReplayedHost final : public Transport {
 public:
  Status write_all(Bytes, Deadline) override {
    asked_ = true;
    return ok();
  }
  Result<std::size_t> read_some(MutBytes into, Deadline) override {
    if (asked_) {
      const AproxyCase& recorded = aproxy_case();
      left_ = second_ ? recorded.attestation_response : recorded.negotiation_response;
      second_ = !second_;
      asked_ = false;
    }
    const std::size_t size = std::min(into.size(), left_.size());
    if (size == 0) return Error{Errc::closed, "ReplayedHost"};
    std::memcpy(into.data(), left_.data(), size);
    left_ = left_.subspan(size);
    return size;
  }

 private:
  Bytes left_;
  bool asked_ = false, second_ = false;
};

/// Way is one of the ways through attest(): over which kind of line, and with terms stated or the defaults.
struct Way {
  LineKind line;
  bool states_terms;

  std::string name() const {
    return std::string(line == LineKind::serial ? "serial, one repetition" : "connected") +
           (states_terms ? ", stated terms" : "");
  }
};
inline constexpr Way kWays[] = {
    {LineKind::connected, false}, {LineKind::connected, true}, {LineKind::serial, false}, {LineKind::serial, true}};

template <class T>
T need(Result<T> result) {
  if (!result) throw std::runtime_error(std::string("benchmark input: ") + error_name(result.error().code));
  return *std::move(result);
}

/// terms_of are the defaults, or terms with the longest resource there may be. Throws what reading throws.
inline protocol::Terms terms_of(const Way& way) {
  protocol::Terms terms;
  if (way.states_terms) {
    const std::string text = "bench/longest/" + std::string(protocol::kMaxResourcePathBytes - 14, 'r');
    terms.resource = need(protocol::ResourcePath::parse(text, "bench"));
  }
  return terms;
}

inline Octets framed(Bytes body) {
  Octets frame(protocol::kFramePrefixBytes, 0);
  for (std::size_t i = 0; i < frame.size(); ++i) frame[i] = static_cast<std::uint8_t>(body.size() >> (8 * i));
  frame.insert(frame.end(), body.begin(), body.end());
  return frame;
}

/// negotiation_response is the recorded frame, with `terms` accepted unless they are the defaults. Throws.
inline Octets negotiation_response(const protocol::Terms& terms) {
  const Octets& recorded = aproxy_case().negotiation_response;
  if (terms.is_default()) return recorded;
  Octets body(recorded.begin() + protocol::kFramePrefixBytes, recorded.end()), into(protocol::kMaxFrameBytes);
  auto response = need(protocol::decode_negotiation_response(body, nullptr));
  response.accepted = terms;
  return framed(need(protocol::encode_negotiation_response(response, into)));
}

inline Octets negotiation_response(const Way& way) {
  return negotiation_response(terms_of(way));
}

/// RehearsedHost plays one attempt after the other with two frames. On a serial line the guest's first request seems
/// lost, so that it repeats it; both are answered, the second time beside the AttestationResponse.
class RehearsedHost final : public Transport {
 public:
  RehearsedHost(LineKind kind, const Octets& negotiation, const Octets& attestation)
      : nothing_yet_(kind == LineKind::serial ? Errc::deadline : Errc::closed) {
    if (kind == LineKind::connected) {
      answers_ = {negotiation, attestation};
    } else {
      answers_ = {{}, negotiation, negotiation};
      answers_.back().insert(answers_.back().end(), attestation.begin(), attestation.end());
    }
  }
  Status write_all(Bytes, Deadline) override {
    asked_ = true;
    return ok();
  }
  Result<std::size_t> read_some(MutBytes into, Deadline) override {
    if (asked_) left_ = answers_[next_++ % answers_.size()];
    asked_ = false;
    const std::size_t size = std::min(into.size(), left_.size());
    if (size == 0) return Error{nothing_yet_, "RehearsedHost"};
    std::memcpy(into.data(), left_.data(), size);
    left_ = left_.subspan(size);
    return size;
  }

 private:
  const Errc nothing_yet_;
  std::vector<Octets> answers_;
  std::size_t next_ = 0;
  Bytes left_;
  bool asked_ = false;
};

}  // namespace attestbed::bench
