// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace attestbed::tests {

/// Table is one table of a Markdown page. Cells are trimmed; a `|` between backticks belongs to its cell.
struct Table {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
  std::size_t line = 0;  // of the header, from 1
};

/// Block is one fenced block; `info` is what follows its language.
struct Block {
  std::string info, text;
  std::size_t line = 0;
};

/// Document is what can be checked of docs/protocol.md by a program.
struct Document {
  std::string prose;  // without the fenced blocks
  std::vector<Table> tables;
  std::vector<Block> blocks;

  /// table yields the one table whose first header cell is `name`; throws if there is none or a second.
  const Table& table(std::string_view name) const;
};

/// protocol_document reads docs/protocol.md; throws on a row with more or fewer cells than its header.
const Document& protocol_document();

/// code_spans lists what stands between backticks, in order.
std::vector<std::string> code_spans(std::string_view cell);
/// code_span is the first of them; throws if there is none.
std::string code_span(std::string_view cell);

}  // namespace attestbed::tests
