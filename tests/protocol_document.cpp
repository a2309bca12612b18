// SPDX-License-Identifier: Apache-2.0
#include "tests/protocol_document.h"

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace attestbed::tests {
namespace {

std::string trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == text.npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(' ') - first + 1));
}

std::vector<std::string> cells_of(std::string_view line) {
  std::vector<std::string> cells;
  std::string cell;
  bool code = false;
  for (const char c : line.substr(1)) {
    if (c == '`') code = !code;
    if (c == '|' && !code) {
      cells.push_back(trimmed(cell));
      cell.clear();
    } else {
      cell += c;
    }
  }
  return cells;
}

Document parse(std::istream& page) {
  Document document;
  Table* open = nullptr;
  std::size_t number = 0;
  bool fenced = false;
  for (std::string line; std::getline(page, line);) {
    ++number;
    if (line.starts_with("```")) {
      fenced = !fenced;
      const std::size_t space = line.find(' ');
      if (fenced) document.blocks.push_back({space == line.npos ? "" : line.substr(space + 1), {}, number});
      continue;
    }
    if (fenced) {
      document.blocks.back().text += line + "\n";
      continue;
    }
    document.prose += line + "\n";
    if (!line.starts_with("|")) {
      open = nullptr;
      continue;
    }
    const std::vector<std::string> cells = cells_of(line);
    if (open == nullptr) {
      document.tables.push_back({cells, {}, number});
      open = &document.tables.back();
    } else if (cells.size() != open->header.size()) {
      throw std::runtime_error("line " + std::to_string(number) + ": a row of another width than its header");
    } else if (!cells[0].starts_with("---")) {
      open->rows.push_back(cells);
    }
  }
  return document;
}

}  // namespace

const Table& Document::table(std::string_view name) const {
  const Table* found = nullptr;
  for (const Table& table : tables) {
    if (table.header[0] != name) continue;
    if (found != nullptr) throw std::runtime_error("two tables named " + std::string(name));
    found = &table;
  }
  if (found == nullptr) throw std::runtime_error("no table named " + std::string(name));
  return *found;
}

const Document& protocol_document() {
  static const Document document = [] {
    std::ifstream page(ATTESTBED_SOURCE_DIR "/docs/protocol.md");
    if (!page) throw std::runtime_error("docs/protocol.md cannot be read");
    return parse(page);
  }();
  return document;
}

std::vector<std::string> code_spans(std::string_view cell) {
  std::vector<std::string> spans;
  for (std::size_t at = cell.find('`'); at != cell.npos;) {
    const std::size_t end = cell.find('`', at + 1);
    if (end == cell.npos) break;
    spans.emplace_back(cell.substr(at + 1, end - at - 1));
    at = cell.find('`', end + 1);
  }
  return spans;
}

std::string code_span(std::string_view cell) {
  const std::vector<std::string> spans = code_spans(cell);
  if (spans.empty()) throw std::runtime_error("no name between backticks in: " + std::string(cell));
  return spans.front();
}

}  // namespace attestbed::tests
