#include "report/missing.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "report/json.hpp"
#include "sample_records.hpp"

namespace bops {
namespace {

const std::map<std::string, std::string_view> kCodes{{"instructions", kCountsNotMeasured},
                                                     {"loads", kCountsNotMeasured},
                                                     {"stores", kCountsNotMeasured},
                                                     {"branches", kCountsNotMeasured},
                                                     {"bops_formula", kCountsNotMeasured},
                                                     {"operations", kOperationsNotMeasured},
                                                     {"instruction_classes", kClassesNotMeasured},
                                                     {"cycles", kCyclesNotMeasured},
                                                     {"bops_per_second", kRatesNotMeasured}};

bool has_code(const std::vector<Warning>& warnings, std::string_view code) {
  return std::any_of(warnings.begin(), warnings.end(),
                     [code](const Warning& warning) { return warning.code == code; });
}

TEST(Missing, a_number_is_null_exactly_where_a_warning_says_why) {
  for (const RunRecord& record : {samples::decoded_run(), samples::hardware_run(),
                                  samples::missing_run(), samples::hostile_run()}) {
    const auto totals = to_json(record)["totals"];
    ASSERT_EQ(totals.size(), kCodes.size());
    for (const auto& [name, value] : totals.items())
      EXPECT_EQ(value.is_null(), has_code(record.warnings, kCodes.at(name))) << name;
  }
}

TEST(Missing, explaining_twice_does_no_harm) {
  RunRecord record = samples::missing_run();
  const std::vector<Warning> once = record.warnings;
  explain_missing_numbers(record);
  EXPECT_EQ(record.warnings, once);
}

TEST(Missing, the_collectors_own_reason_is_kept) {
  RunRecord record = samples::hardware_run();
  record.warnings = {{std::string(kOperationsNotMeasured), "own reason"}};
  record.counts.warnings = {{std::string(kClassesNotMeasured), "another"}};
  explain_missing_numbers(record);
  EXPECT_EQ(record.warnings.size(), 1U);
  EXPECT_EQ(missing_reason(record, kOperationsNotMeasured), "own reason");
  EXPECT_EQ(missing_reason(record, kClassesNotMeasured), "another");
  EXPECT_EQ(missing_reason(record, kCyclesNotMeasured), "") << "cycles are there";
}

TEST(Missing, a_rate_is_the_formula_over_the_wall_time_in_whole_numbers) {
  RunRecord record = samples::hardware_run();
  record.wall_ns = 3'000'000'000;
  EXPECT_EQ(bops_per_second(record), 2'400'000);
  record.wall_ns = 7;
  EXPECT_EQ(bops_per_second(record), 7'200'000'000'000'000 / 7);
  record.counts.threads[0].counts.instructions = {0, 20'000'000, 0, 0};
  record.wall_ns = 1'000'000'000;
  EXPECT_EQ(bops_per_second(record), -20'000'000 + 1'198'800 + 1'200);
}

TEST(Missing, a_rate_without_time_or_beyond_64_bits_is_no_number) {
  RunRecord record = samples::hardware_run();
  record.wall_ns = 0;
  EXPECT_EQ(bops_per_second(record), std::nullopt);
  record.wall_ns = 1;
  record.counts.threads[0].counts.instructions = {std::numeric_limits<std::int64_t>::max() / 2, 0,
                                                  0, 0};
  EXPECT_EQ(bops_per_second(record), std::nullopt);
}

}  // namespace
}  // namespace bops
