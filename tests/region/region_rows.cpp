#include "tests/region/region_rows.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace bops {
namespace {

/// "entries=1 work.tokens=64"; stops at a word that is no such pair.
std::map<std::string, std::int64_t> read_values(std::istream& words) {
  std::map<std::string, std::int64_t> values;
  for (std::string word; words >> word;) {
    const std::size_t sign = word.find('=');
    if (sign == std::string::npos) break;
    values.emplace(word.substr(0, sign), std::stoll(word.substr(sign + 1)));
  }
  return values;
}

/// The only row of that name.
const RegionRow& row_of(const RegionRows& rows, const std::string& name) {
  static const RegionRow none;
  const RegionRow* found = &none;
  for (const RegionRow& row : rows.regions) {
    if (row.name != name) continue;
    EXPECT_EQ(found, &none) << "more than one " << name;
    found = &row;
  }
  EXPECT_NE(found, &none) << "no " << name;
  return *found;
}

std::int64_t value_of(const RegionRow& row, const std::string& field) {
  const auto value = row.values.find(field);
  return value != row.values.end() ? value->second : -1;
}

}  // namespace

RegionRows read_region_expectations(const std::string& source_path) {
  std::ifstream file(source_path);
  RegionRows rows;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string star, keyword;
    words >> star >> keyword;
    if (keyword == "expect:") {
      RegionRow row;
      words >> row.name;
      row.values = read_values(words);
      // The second half stands on the next line.
      std::string rest;
      std::getline(file, rest);
      std::istringstream more(rest);
      more >> star;
      row.values.merge(read_values(more));
      rows.regions.push_back(std::move(row));
    } else if (keyword == "thread:") {
      rows.thread_work.push_back(read_values(words));
    }
  }
  return rows;
}

void expect_regions_of_program(const RegionRows& counted) {
  RegionRows expected = read_region_expectations(BOPS_REGIONS_SOURCE);
  ASSERT_EQ(expected.regions.size(), 11U);
  ASSERT_EQ(expected.thread_work.size(), 3U);
  std::vector<RegionRow> known;
  for (const RegionRow& row : counted.regions)
    if (std::any_of(expected.regions.begin(), expected.regions.end(),
                    [&row](const RegionRow& other) { return other.name == row.name; }))
      known.push_back(row);
  std::sort(known.begin(), known.end());
  std::sort(expected.regions.begin(), expected.regions.end());
  ASSERT_EQ(known.size(), expected.regions.size());
  for (std::size_t i = 0; i < known.size(); ++i) {
    EXPECT_EQ(known[i].name, expected.regions[i].name);
    EXPECT_EQ(known[i].values, expected.regions[i].values) << known[i].name;
  }
  std::vector<std::map<std::string, std::int64_t>> work = counted.thread_work;
  std::sort(work.begin(), work.end());
  std::sort(expected.thread_work.begin(), expected.thread_work.end());
  EXPECT_EQ(work, expected.thread_work);

  // Through the library: its own instructions depend on the compiler, the rest does not.
  const RegionRow& shorter = row_of(counted, "library_short");
  const RegionRow& longer = row_of(counted, "library_long");
  for (const auto& [field, more] : std::map<std::string, std::int64_t>{{"instructions", 2000},
                                                                       {"branches", 1000},
                                                                       {"loads", 0},
                                                                       {"stores", 0},
                                                                       {"integer", 1000},
                                                                       {"bops_formula", 1000},
                                                                       {"entries", 0}})
    EXPECT_EQ(value_of(longer, field) - value_of(shorter, field), more) << field;
  EXPECT_LT(value_of(shorter, "instructions"), 100);
  const RegionRow& request = row_of(counted, "request");
  EXPECT_EQ(value_of(request, "work.requests"), 1);
  EXPECT_EQ(value_of(request, "work.tokens"), 64);
  EXPECT_GT(value_of(request, "instructions"), value_of(row_of(counted, "decode"), "instructions"));
  EXPECT_EQ(value_of(row_of(counted, std::string(255, 'x')), "instructions"), 2 + 7);
  EXPECT_EQ(value_of(row_of(counted, "unended"), "entries"), 1);
  EXPECT_EQ(counted.regions.size(), expected.regions.size() + 5);
}

}  // namespace bops
