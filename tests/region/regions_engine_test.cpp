// Regions counted by the engines of bops that know them.
#include <gtest/gtest.h>

#include <regex>

#include "tests/harness/subprocess.hpp"
#include "tests/region/region_rows.hpp"

namespace bops {
namespace {

using Json = nlohmann::json;

std::map<std::string, std::int64_t> values_of(const Json& work) {
  std::map<std::string, std::int64_t> values;
  for (const auto& [unit, amount] : work.items()) values["work." + unit] = amount;
  return values;
}

RegionRows rows_of(const Json& record) {
  RegionRows rows;
  for (const Json& region : record.at("regions")) {
    RegionRow row{region.at("name"), values_of(region.at("work"))};
    for (const char* field :
         {"entries", "instructions", "loads", "stores", "branches", "bops_formula"})
      row.values[field] = region.at(field);
    for (const char* field : {"integer", "floating_point", "address"})
      row.values[field] = region.at("operations").at(field);
    rows.regions.push_back(std::move(row));
  }
  for (const Json& thread : record.at("threads"))
    if (thread.contains("work")) rows.thread_work.push_back(values_of(thread.at("work")));
  return rows;
}

class RegionEngine : public ::testing::TestWithParam<std::string> {
 protected:
  /// Empty if there is such a collector, else what bops says.
  [[nodiscard]] static std::string missing() {
    const auto ended = harness::run(
        {harness::bops_program(), "run", "--collector", GetParam(), "--", "/bin/true"});
    if (ended.errors.find("there is no collector named " + GetParam()) == std::string::npos)
      return "";
    return ended.errors;
  }
};

TEST_P(RegionEngine, counts_what_stands_in_the_source_of_the_program) {
  if (const std::string reason = missing(); !reason.empty()) GTEST_SKIP() << reason;
  const auto counted =
      harness::count({harness::target_program("regions")}, {"--collector", GetParam(), "--strict"});
  EXPECT_EQ(counted.ended.code, 0) << counted.ended.errors;
  EXPECT_EQ(counted.ended.output, "done\n");
  ASSERT_FALSE(counted.record.is_null());
  EXPECT_EQ(counted.record.at("quality"), "exact");
  expect_regions_of_program(rows_of(counted.record));
}

TEST_P(RegionEngine, leaves_a_region_with_the_exception_that_leaves_its_scope) {
  if (const std::string reason = missing(); !reason.empty()) GTEST_SKIP() << reason;
  const auto counted = harness::count({harness::target_program("regions_scoped")},
                                      {"--collector", GetParam(), "--strict"});
  EXPECT_EQ(counted.ended.code, 0) << counted.ended.errors;
  ASSERT_FALSE(counted.record.is_null());
  std::map<std::string, std::int64_t> instructions;
  for (const RegionRow& row : rows_of(counted.record).regions)
    instructions[row.name] = row.values.at("instructions");
  ASSERT_EQ(instructions.size(), 3U);
  EXPECT_LT(instructions["thrown_out_of"], 2'000'000) << "what follows the exception is not in it";
  EXPECT_GE(instructions["outer"], 2'000'000 + 2'000 + instructions["thrown_out_of"]);
  EXPECT_LT(instructions["outer"], 20'000'000) << "what follows the scope is not in it";
  EXPECT_GE(instructions["inner"], 2'000);
  EXPECT_LT(instructions["inner"], 2'200);
}

TEST_P(RegionEngine, counts_regions_of_a_library_that_is_loaded_at_run_time) {
  if (const std::string reason = missing(); !reason.empty()) GTEST_SKIP() << reason;
  const auto counted =
      harness::count({harness::target_program("regions_loaded"), BOPS_REGION_LIBRARY},
                     {"--collector", GetParam(), "--strict"});
  EXPECT_EQ(counted.ended.code, 0) << counted.ended.errors;
  ASSERT_FALSE(counted.record.is_null());
  const RegionRows rows = rows_of(counted.record);
  ASSERT_EQ(rows.regions.size(), 2U);
  EXPECT_EQ(rows.regions[0].name, "loaded");
  EXPECT_EQ(rows.regions[0].values.at("work.items"), 2);
  EXPECT_GE(rows.regions[0].values.at("instructions"), 2'000);
  EXPECT_LT(rows.regions[0].values.at("instructions"), 2'100);
}

TEST_P(RegionEngine, reports_what_a_unit_of_work_took) {
  if (const std::string reason = missing(); !reason.empty()) GTEST_SKIP() << reason;
  const auto ended = harness::run({harness::bops_program(), "run", "--collector", GetParam(), "--",
                                   harness::target_program("regions")});
  EXPECT_EQ(ended.code, 0);
  // 10 formula BOPs and no decoded operation for 6 images.
  EXPECT_TRUE(std::regex_search(ended.errors, std::regex("\\n +6 +images +1\\.7 +0\\.0 +batch\\n")))
      << ended.errors;
}

INSTANTIATE_TEST_SUITE_P(Engines, RegionEngine, ::testing::Values("native"),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace bops
