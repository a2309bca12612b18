// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "core/base/errc.h"

namespace attestbed {
namespace {

std::string row_text(const ErrorRow& row) {
  return "| " + std::to_string(static_cast<unsigned>(row.code)) + " | `" + row.name + "` | " +
         std::to_string(row.guest_exit) + " | " + (row.on_wire ? "yes" : "no") + " | " + row.meaning + " | " +
         row.remedy + " |";
}

// The rows of the one table of docs/errors.md: lines that begin with a cell that is a number.
std::vector<std::string> documented_rows() {
  std::ifstream file(ATTESTBED_SOURCE_DIR "/docs/errors.md");
  std::vector<std::string> rows;
  for (std::string line; std::getline(file, line);) {
    if (line.size() > 2 && line.starts_with("| ") && line[2] >= '0' && line[2] <= '9') rows.push_back(line);
  }
  return rows;
}

TEST(ErrorsDoc, ShowsEveryRowOfTheTableInOrder) {
  const std::vector<std::string> documented = documented_rows();
  std::size_t i = 0;
  for (const ErrorRow& row : error_rows()) {
    const std::string wanted = row_text(row);
    EXPECT_EQ(i < documented.size() ? documented[i] : "(no row)", wanted) << "docs/errors.md wants this row:\n"
                                                                          << wanted;
    ++i;
  }
}

TEST(ErrorsDoc, HasNoRowThatTheTableLacks) {
  const std::vector<std::string> documented = documented_rows();
  for (std::size_t i = error_rows().count; i < documented.size(); ++i) {
    ADD_FAILURE() << "no such code in core/base/errc.cpp: " << documented[i];
  }
}

// What the page promises about the columns, so that a new row cannot break it unseen.
TEST(ErrorsDoc, RowsKeepThePromisesOfThePage) {
  for (const ErrorRow& row : error_rows()) {
    EXPECT_TRUE(row.guest_exit >= 1 && row.guest_exit <= 5) << row.name;
    EXPECT_TRUE(!row.on_wire || row.guest_exit == 1 || row.guest_exit == 3) << row.name;
    for (const std::string_view text : {std::string_view(row.meaning), std::string_view(row.remedy)}) {
      EXPECT_FALSE(text.empty()) << row.name;
      EXPECT_EQ(text.find_first_of("|\n"), std::string_view::npos) << row.name << " would break the table";
    }
  }
}

}  // namespace
}  // namespace attestbed
