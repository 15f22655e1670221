// What a report for people says, apart from how a format draws it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "model/warning.hpp"

namespace bops {

// All strings are printable() already: formats escape only what their own syntax gives a meaning.

struct Fact {
  std::string label;
  std::string value;
};

struct Column {
  std::string heading;
  bool numeric = true;            ///< aligned to the right
  std::size_t minimum_width = 0;  ///< in characters, so that tables above each other line up
};

struct Table {
  std::string title;
  std::string note;  ///< one line; without rows it says why there are none
  std::vector<Column> columns;
  std::vector<std::vector<std::string>> rows;  ///< at most as many cells as columns
};

struct Document {
  std::string title;
  std::vector<Fact> facts;
  std::vector<Table> tables;
  std::vector<Warning> warnings;  ///< those that no fact or table tells already
};

}  // namespace bops
