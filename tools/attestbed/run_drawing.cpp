// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/run_drawing.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <vector>

namespace attestbed::tools {
namespace {

constexpr std::size_t kMargin = 70;                               // where the times begin
constexpr std::array<std::size_t, 4> kColumns = {3, 15, 46, 69};  // of the lanes
constexpr std::array<std::string_view, 4> kNames = {"firmware", "guest", "proxy", "broker"};

std::size_t column_of(Lane lane) {
  return kColumns[static_cast<std::size_t>(lane)];
}

/// Row is one line; a cell holds one character, which in UTF-8 may be several octets.
class Row {
 public:
  Row() : cells_(kMargin, " ") {
    for (const std::size_t column : kColumns) cells_[column] = "│";
  }
  void put(std::size_t column, std::string_view cell) { cells_[column] = cell; }
  /// write puts printable ASCII, at most up to `end`.
  void write(std::size_t column, std::size_t end, std::string_view text) {
    for (std::size_t i = 0; i < text.size() && column < end; ++i) cells_[column++] = text[i];
  }
  std::string line(std::optional<double> ms) const {
    std::string text;
    for (const std::string& cell : cells_) text += cell;
    if (ms) {
      const std::string time = milliseconds(*ms);
      text += std::string(10 - std::min<std::size_t>(10, time.size()), ' ') + time;
    }
    return text + "\n";
  }

 private:
  std::vector<std::string> cells_;
};

}  // namespace

double milliseconds_of(std::chrono::nanoseconds time) {
  return static_cast<double>(std::chrono::duration_cast<std::chrono::microseconds>(time).count()) / 1e3;
}

std::string milliseconds(double ms) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f ms", ms);
  return text.data();
}

SequenceDrawing::SequenceDrawing() {
  std::string names(kMargin + 8, ' ');
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    const std::size_t start = kColumns[i] - std::min(kColumns[i], kNames[i].size() / 2);
    names.replace(start, kNames[i].size(), kNames[i]);
  }
  text_ = names.substr(0, names.find_last_not_of(' ') + 1) + "\n";
}

void SequenceDrawing::arrow(Lane from, Lane to, std::string_view label, std::optional<double> ms) {
  Row row;
  const bool rightwards = column_of(from) < column_of(to);
  const std::size_t left = std::min(column_of(from), column_of(to)), right = std::max(column_of(from), column_of(to));
  for (std::size_t column = left + 1; column < right; ++column) row.put(column, "─");
  row.put(column_of(from), rightwards ? "├" : "┤");
  row.put(rightwards ? right - 1 : left + 1, rightwards ? "▶" : "◀");
  // Between the lanes: an arrowhead, a dash at either end, and a space on either side of the label.
  const std::size_t room = right - left - 5;
  const std::string text = label.size() <= room ? " " + std::string(label) + " " : std::string(label);
  row.write(left + 2, right - 1, text);
  text_ += row.line(ms);
}

void SequenceDrawing::note(Lane lane, std::string_view label, std::optional<double> ms) {
  Row row;
  row.put(column_of(lane), "●");
  row.write(column_of(lane) + 2, kMargin, label);
  text_ += row.line(ms);
}

}  // namespace attestbed::tools
