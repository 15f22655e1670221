#include "tests/rating/csv_reader.hpp"

#include <gtest/gtest.h>

namespace bops::rating_cases {
namespace {

std::vector<std::vector<std::string>> cells_of(const std::string& text) {
  std::vector<std::vector<std::string>> rows{{""}};
  bool quoted = false, ended = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    ended = false;
    const char c = text[i];
    if (quoted) {
      if (c != '"')
        rows.back().back() += c;
      else if (i + 1 < text.size() && text[i + 1] == '"')
        rows.back().back() += text[++i];
      else
        quoted = false;
    } else if (c == '"') {
      EXPECT_EQ(rows.back().back(), "") << "a quote within a cell";
      quoted = true;
    } else if (c == ',') {
      rows.back().emplace_back();
    } else if (c == '\r' && i + 1 < text.size() && text[i + 1] == '\n') {
      ++i;
      rows.push_back({""});
      ended = true;
    } else {
      EXPECT_NE(c, '\n') << "not CR LF";
      rows.back().back() += c;
    }
  }
  EXPECT_TRUE(ended && !quoted) << "the last line does not end";
  rows.pop_back();
  return rows;
}

}  // namespace

std::vector<CsvRow> read_csv(const std::string& text) {
  const auto cells = cells_of(text);
  std::vector<CsvRow> rows;
  for (std::size_t i = 1; i < cells.size(); ++i) {
    EXPECT_EQ(cells[i].size(), cells[0].size()) << "row " << i;
    CsvRow& row = rows.emplace_back();
    for (std::size_t j = 0; j < cells[i].size() && j < cells[0].size(); ++j)
      row[cells[0][j]] = cells[i][j];
    EXPECT_EQ(row.size(), cells[0].size()) << "two columns of one name";
  }
  return rows;
}

}  // namespace bops::rating_cases
