// RFC 4180 read strictly.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace bops::rating_cases {

using CsvRow = std::map<std::string, std::string>;  // by column

/// Fails the test if the text is not RFC 4180 with a header, or a row has another number of cells.
[[nodiscard]] std::vector<CsvRow> read_csv(const std::string& text);

}  // namespace bops::rating_cases
