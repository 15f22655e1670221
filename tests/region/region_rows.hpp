// What tests/programs/regions must give, whoever counted it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace bops {

/// One region of one thread: "entries", "instructions", ..., "work.tokens".
struct RegionRow {
  std::string name;
  std::map<std::string, std::int64_t> values;
  friend auto operator<=>(const RegionRow&, const RegionRow&) = default;
};

struct RegionRows {
  std::vector<RegionRow> regions;
  /// Of each thread that says that it did any: "work.tokens".
  std::vector<std::map<std::string, std::int64_t>> thread_work;
};

/// Reads what stands in the head of the program's source.
[[nodiscard]] RegionRows read_region_expectations(const std::string& source_path);

/// Fails the test where `counted` is not what the program's source says.
void expect_regions_of_program(const RegionRows& counted);

}  // namespace bops
