// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace attestbed::tools {

/// Lane is a column of the drawing: one side of the borders that messages cross.
enum class Lane { firmware, guest, proxy, broker };

/// SequenceDrawing draws who says what to whom, top to bottom, 80 columns wide.
class SequenceDrawing {
 public:
  SequenceDrawing();
  /// arrow is a message; `ms` goes into the right margin. A label that is too long for the gap is cut.
  void arrow(Lane from, Lane to, std::string_view label, std::optional<double> ms = std::nullopt);
  /// note is something that a lane does by itself.
  void note(Lane lane, std::string_view label, std::optional<double> ms = std::nullopt);
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

/// milliseconds_of is a time in milliseconds, to the microsecond below.
double milliseconds_of(std::chrono::nanoseconds time);
/// milliseconds writes 0.412 as "0.4 ms".
std::string milliseconds(double ms);

}  // namespace attestbed::tools
