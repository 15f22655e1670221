// The native engine against the single-stepper: static programs to the digit, dynamic ones within
// what runs of the stepper differ among themselves.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "tests/harness/subprocess.hpp"
#include "tests/oracle/single_stepper.hpp"

namespace bops {
namespace {

using Words = std::vector<std::string>;

std::vector<std::string> programs() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(BOPS_FREESTANDING_PROGRAMS))
    names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

/// What the CPU lacks of what the program is compiled for; empty if nothing.
std::string lacking(const std::string& program) {
  if (program.ends_with("v3") && !__builtin_cpu_supports("avx2")) return "the CPU has no AVX2";
  if (program.ends_with("v4") &&
      !(__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")))
    return "the CPU has no AVX-512";
  return "";
}

class StaticProgram : public ::testing::TestWithParam<std::string> {};

TEST_P(StaticProgram, counts_what_single_stepping_counts) {
  if (const std::string reason = lacking(GetParam()); !reason.empty()) GTEST_SKIP() << reason;
  const std::string path = std::string(BOPS_FREESTANDING_PROGRAMS) + "/" + GetParam();
  const auto stepped = oracle::single_step({path}, oracle::Follow::kFirstThread);
  ASSERT_TRUE(stepped) << stepped.error().message;
  EXPECT_GT(stepped->instructions, 500U);
  const auto counted = harness::count({path}, {"--collector", "native", "--strict"});
  ASSERT_FALSE(counted.record.is_null()) << counted.ended.errors;
  EXPECT_EQ(counted.ended.code, stepped->exit_code);
  EXPECT_EQ(counted.record.at("totals").at("instructions"), stepped->instructions);
}

INSTANTIATE_TEST_SUITE_P(Programs, StaticProgram, ::testing::ValuesIn(programs()),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

/// Least and most of several native runs: where the stack, the heap and the libraries lie changes
/// how far string functions go in one step.
std::pair<std::uint64_t, std::uint64_t> stepped_range(const Words& command) {
  std::uint64_t least = ~std::uint64_t{0}, most = 0;
  for (int run = 0; run < 3; ++run) {
    const auto stepped = oracle::single_step(command, oracle::Follow::kEverything);
    EXPECT_TRUE(stepped && stepped->exit_code == 0);
    if (!stepped) break;
    least = std::min(least, stepped->instructions);
    most = std::max(most, stepped->instructions);
  }
  return {least, most};
}

class DynamicProgram : public ::testing::TestWithParam<Words> {
 protected:
  /// The locale's files alone would be two thirds of the steps.
  void SetUp() override {
    ::clearenv();
    ::setenv("PATH", "/usr/bin:/bin", 1);
  }
};

TEST_P(DynamicProgram, counts_what_single_stepping_counts_where_memory_lies_as_it_does) {
  if (!std::filesystem::exists(GetParam().front()))
    GTEST_SKIP() << GetParam().front() << " is not installed";
  const auto [least, most] = stepped_range(GetParam());
  const auto counted = harness::count(GetParam(), {"--collector", "native", "--strict"});
  ASSERT_FALSE(counted.record.is_null()) << counted.ended.errors;
  const auto instructions = counted.record.at("totals").at("instructions").get<std::uint64_t>();
  // As much again as native runs differ; three runs may have met one placement only of each
  // process.
  const std::uint64_t programs = counted.record.at("processes").size();
  const std::uint64_t slack = std::max<std::uint64_t>(most - least, 32 * programs);
  EXPECT_GE(instructions, least - slack) << "native runs: " << least << " to " << most;
  EXPECT_LE(instructions, most + slack) << "native runs: " << least << " to " << most;
}

INSTANTIATE_TEST_SUITE_P(Installed, DynamicProgram,
                         ::testing::Values(Words{"/bin/true"},
                                           Words{"/bin/echo", "a", "few", "words"},
                                           Words{harness::target_program("busy_loop"), "5000"},
                                           Words{harness::target_program("fork_tree"), "3"},
                                           Words{harness::target_program("vfork_exec")},
                                           Words{"/bin/sh", "-c", "echo $((6 * 7))"}),
                         [](const auto& test) {
                           return std::filesystem::path(test.param[0]).filename().string();
                         });

}  // namespace
}  // namespace bops
