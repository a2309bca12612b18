// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "core/crypto/rsa.h"

namespace attestbed::guest {

/// kKeyProgress is how each of its lines begins: they are no complaints, and a program that runs guests passes them on.
inline constexpr std::string_view kKeyProgress = "creating an RSA-3072 key: ";

/// KeyProgressLines tells people that the search for an RSA key goes on: one line at its beginning, since it may take
/// minutes where the processor is emulated, and one in each second that it lasts.
class KeyProgressLines final : public crypto::KeyProgress {
 public:
  /// say gets each line, without line feed. `clock` and what `say` uses outlive this object.
  KeyProgressLines(Clock& clock, std::function<void(const std::string& line)> say)
      : clock_(clock), say_(std::move(say)) {}
  void searched(std::size_t candidates, int primes) override;

 private:
  Clock& clock_;
  const std::function<void(const std::string& line)> say_;
  Instant next_{};
};

}  // namespace attestbed::guest
