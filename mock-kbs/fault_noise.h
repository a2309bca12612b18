// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace attestbed::kbs {

/// FaultNoise is where faults get what is arbitrary: the same from the same seed. It protects nothing.
///   source  SplitMix64: Steele, Lea, Flood, Fast Splittable Pseudorandom Number Generators, 2014
class FaultNoise {
 public:
  explicit FaultNoise(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
  }
  std::string octets(std::size_t count) {
    std::string text(count, '\0');
    for (char& octet : text) octet = static_cast<char>(next() & 0xff);
    return text;
  }
  /// of is the stream of one fault at one request: place in the plan, and count.
  static FaultNoise of(std::uint64_t seed, std::uint64_t index, std::uint64_t count) {
    const std::uint64_t plan = FaultNoise(seed).next();
    return FaultNoise(FaultNoise(plan ^ index).next() ^ count);
  }

 private:
  std::uint64_t state_;
};

}  // namespace attestbed::kbs
