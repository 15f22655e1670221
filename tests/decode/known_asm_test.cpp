// Decoder, programs and oracle against each other: three independent statements of one count.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "collectors/exact/decode/instruction.hpp"
#include "model/bops.hpp"
#include "tests/decode/expectations.hpp"
#include "tests/oracle/single_stepper.hpp"

namespace bops::exact {
namespace {

std::vector<std::string> program_names() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(BOPS_KNOWN_ASM_SOURCES)) {
    if (entry.path().extension() == ".S") names.push_back(entry.path().stem());
  }
  std::ranges::sort(names);
  return names;
}

Expectations expectations_of(const std::string& program) {
  return read_expectations(std::string(BOPS_KNOWN_ASM_SOURCES) + "/" + program + ".S");
}

class KnownAsm : public testing::TestWithParam<std::string> {};

TEST_P(KnownAsm, counts_to_the_digit_what_its_source_says) {
  const Expectations expected = expectations_of(GetParam());
  if (const std::string missing = missing_feature(expected.needs); !missing.empty()) {
    GTEST_SKIP() << "this CPU lacks " << missing;
  }
  InstructionCounts counts;
  Operations operations;
  InstructionClasses classes;
  const auto run =
      oracle::single_step({std::string(BOPS_KNOWN_ASM_PROGRAMS) + "/" + GetParam()},
                          oracle::Follow::kFirstThread, [&](const oracle::Step& step) {
                            const DecodedInstruction decoded = decode_instruction(step.bytes);
                            EXPECT_TRUE(decoded.known) << "at " << std::hex << step.rip;
                            counts += decoded.counts();
                            operations += decoded.operations;
                            classes += decoded.classes();
                          });
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ(run->exit_code, expected.exit_code);
  EXPECT_EQ(run->instructions, expected.instructions.total);
  EXPECT_EQ(counts.total, expected.instructions.total);
  EXPECT_EQ(counts.loads, expected.instructions.loads);
  EXPECT_EQ(counts.stores, expected.instructions.stores);
  EXPECT_EQ(counts.branches, expected.instructions.branches);
  EXPECT_EQ(bops_formula(counts), expected.bops_formula);
  EXPECT_EQ(operations.integer, expected.operations.integer);
  EXPECT_EQ(operations.floating_point, expected.operations.floating_point);
  EXPECT_EQ(operations.address, expected.operations.address);
  EXPECT_EQ(classes.branch, expected.classes.branch);
  EXPECT_EQ(classes.load, expected.classes.load);
  EXPECT_EQ(classes.store, expected.classes.store);
  EXPECT_EQ(classes.load_store, expected.classes.load_store);
  EXPECT_EQ(classes.floating_point, expected.classes.floating_point);
  EXPECT_EQ(classes.integer, expected.classes.integer);
  EXPECT_EQ(classes.other, expected.classes.other);
}

TEST_P(KnownAsm, the_numbers_of_its_source_agree_with_each_other) {
  const Expectations expected = expectations_of(GetParam());
  EXPECT_EQ(expected.classes.total(), expected.instructions.total);
  EXPECT_EQ(expected.bops_formula, bops_formula(expected.instructions));
  EXPECT_EQ(expected.classes.branch, expected.instructions.branches);
}

INSTANTIATE_TEST_SUITE_P(EveryProgram, KnownAsm, testing::ValuesIn(program_names()),
                         [](const auto& parameter) { return parameter.param; });

}  // namespace
}  // namespace bops::exact
