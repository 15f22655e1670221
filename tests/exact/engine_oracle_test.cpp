// Freestanding programs of both compilers at all levels: equal to the single-stepper to the digit,
// and to callgrind.
#include <gtest/gtest.h>

#include <filesystem>
#include <regex>

#include "tests/harness/subprocess.hpp"
#include "tests/oracle/single_stepper.hpp"

namespace bops::exact {
namespace {

std::vector<std::string> programs() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(BOPS_FREESTANDING_PROGRAMS))
    names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

class Freestanding : public ::testing::TestWithParam<std::string> {
 protected:
  std::string path_ = std::string(BOPS_FREESTANDING_PROGRAMS) + "/" + GetParam();
};

TEST_P(Freestanding, is_counted_by_every_engine_as_single_stepping_counts_it) {
  const auto stepped = oracle::single_step({path_}, oracle::Follow::kFirstThread);
  ASSERT_TRUE(stepped) << stepped.error().message;
  EXPECT_GT(stepped->instructions, 1000U);
  for (const std::string& engine : harness::exact_engines()) {
    SCOPED_TRACE(engine);
    const auto counted = harness::count({path_}, {"--collector", engine, "--strict"});
    ASSERT_FALSE(counted.record.is_null()) << counted.ended.errors;
    EXPECT_EQ(counted.ended.code, stepped->exit_code);
    EXPECT_EQ(counted.record.at("totals").at("instructions"), stepped->instructions);
  }
}

TEST_P(Freestanding, is_single_stepped_to_what_callgrind_counts) {
  const auto stepped = oracle::single_step({path_}, oracle::Follow::kFirstThread);
  ASSERT_TRUE(stepped) << stepped.error().message;
  const harness::TemporaryDirectory directory;
  const auto grind = harness::run(
      {"valgrind", "--tool=callgrind", "--callgrind-out-file=" + directory / "out", path_});
  std::smatch collected;
  if (!std::regex_search(grind.errors, collected, std::regex("Collected : ([0-9]+)")))
    GTEST_SKIP() << "valgrind is not installed, or does not run here";
  // Callgrind adds a block once it is left: never that of the call that ends the process (start.h).
  EXPECT_EQ(stepped->instructions, std::stoull(collected[1].str()) + 1);
}

class Engine : public ::testing::TestWithParam<std::string> {};

TEST_P(Engine, counts_a_block_that_a_caught_fault_leaves_only_as_far_as_it_went) {
  const auto stepped = oracle::single_step({BOPS_CAUGHT_FAULTS}, oracle::Follow::kFirstThread);
  ASSERT_TRUE(stepped) << stepped.error().message;
  EXPECT_EQ(stepped->exit_code, 25);
  const auto counted =
      harness::count({BOPS_CAUGHT_FAULTS}, {"--collector", GetParam(), "--strict"});
  ASSERT_FALSE(counted.record.is_null()) << counted.ended.errors;
  EXPECT_EQ(counted.ended.code, 25);
  EXPECT_EQ(counted.record.at("totals").at("instructions"), stepped->instructions);
}

TEST_P(Engine, counts_an_interrupted_rep_once_however_many_signal_handlers_run_in_between) {
  const auto counted =
      harness::count({BOPS_INTERRUPTED_REP}, {"--collector", GetParam(), "--strict"});
  ASSERT_FALSE(counted.record.is_null()) << counted.ended.errors;
  ASSERT_TRUE(counted.ended.code.has_value());
  const int handlers = *counted.ended.code;
  if (handlers == 0) GTEST_SKIP() << "the machine was too fast, or its timer too slow";
  EXPECT_EQ(counted.record.at("totals").at("instructions"), 24 + 4 * handlers);
}

INSTANTIATE_TEST_SUITE_P(Engines, Engine, ::testing::ValuesIn(harness::exact_engines()),
                         [](const auto& test) { return test.param; });

INSTANTIATE_TEST_SUITE_P(Programs, Freestanding, ::testing::ValuesIn(programs()),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace bops::exact
