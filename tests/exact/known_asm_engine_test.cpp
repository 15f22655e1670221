// Every program of workloads/known_asm, counted by every exact collector: equal to the digit.
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/decode/expectations.hpp"
#include "tests/harness/subprocess.hpp"

namespace bops::exact {
namespace {

std::vector<std::string> programs() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(BOPS_KNOWN_ASM_SOURCES))
    if (entry.path().extension() == ".S") names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

/// What an engine cannot execute, and why: said in its README.
std::string not_executed_by(const std::string& collector, const std::string& program,
                            const std::vector<std::string>& needs) {
  if (collector != "qemu") return "";
  for (const std::string& feature : needs)
    if (feature.starts_with("avx512")) return "QEMU 7.2 has no AVX-512";
  if (program == "far_transfers") return "QEMU 7.2 user mode faults at iretq";
  return "";
}

class KnownProgram : public ::testing::TestWithParam<std::tuple<std::string, std::string>> {};

TEST_P(KnownProgram, counts_what_stands_in_its_file) {
  const auto& [collector, name] = GetParam();
  const Expectations expected =
      read_expectations(std::string(BOPS_KNOWN_ASM_SOURCES) + "/" + name + ".S");
  if (const std::string reason = not_executed_by(collector, name, expected.needs); !reason.empty())
    GTEST_SKIP() << reason;
  const auto counted =
      harness::count({harness::known_asm_program(name)}, {"--collector", collector, "--strict"});
  EXPECT_EQ(counted.ended.code, expected.exit_code) << counted.ended.errors;
  ASSERT_FALSE(counted.record.is_null());
  const auto& totals = counted.record.at("totals");
  EXPECT_EQ(totals.at("instructions"), expected.instructions.total);
  EXPECT_EQ(totals.at("loads"), expected.instructions.loads);
  EXPECT_EQ(totals.at("stores"), expected.instructions.stores);
  EXPECT_EQ(totals.at("branches"), expected.instructions.branches);
  EXPECT_EQ(totals.at("bops_formula"), expected.bops_formula);
  EXPECT_EQ(totals.at("operations").at("integer"), expected.operations.integer);
  EXPECT_EQ(totals.at("operations").at("floating_point"), expected.operations.floating_point);
  EXPECT_EQ(totals.at("operations").at("address"), expected.operations.address);
  const auto& classes = totals.at("instruction_classes");
  EXPECT_EQ(classes.at("branch"), expected.classes.branch);
  EXPECT_EQ(classes.at("load"), expected.classes.load);
  EXPECT_EQ(classes.at("store"), expected.classes.store);
  EXPECT_EQ(classes.at("load_store"), expected.classes.load_store);
  EXPECT_EQ(classes.at("floating_point"), expected.classes.floating_point);
  EXPECT_EQ(classes.at("integer"), expected.classes.integer);
  EXPECT_EQ(classes.at("other"), expected.classes.other);
}

INSTANTIATE_TEST_SUITE_P(Engines, KnownProgram,
                         ::testing::Combine(::testing::ValuesIn(harness::exact_engines()),
                                            ::testing::ValuesIn(programs())),
                         [](const auto& test) {
                           return std::get<0>(test.param) + "_" + std::get<1>(test.param);
                         });

}  // namespace
}  // namespace bops::exact
