#include "tests/oracle/single_stepper.hpp"

#include <gtest/gtest.h>

#include <array>
#include <csignal>
#include <map>

#include "tests/oracle/instruction_bytes.hpp"

namespace bops::oracle {
namespace {

template <std::size_t N>
bool repeated(const std::array<std::uint8_t, N>& bytes) {
  return is_repeated_string_instruction(bytes);
}

TEST(InstructionBytes, rep_string_instructions_are_seen_behind_all_their_prefixes) {
  EXPECT_TRUE(repeated(std::array<std::uint8_t, 2>{0xf3, 0xa4}));               // rep movsb
  EXPECT_TRUE(repeated(std::array<std::uint8_t, 3>{0xf3, 0x48, 0xab}));         // rep stosq
  EXPECT_TRUE(repeated(std::array<std::uint8_t, 4>{0x66, 0xf2, 0x67, 0xaf}));   // repne scasw
  EXPECT_FALSE(repeated(std::array<std::uint8_t, 1>{0xa4}));                    // movsb
  EXPECT_FALSE(repeated(std::array<std::uint8_t, 2>{0xf3, 0x90}));              // pause
  EXPECT_FALSE(repeated(std::array<std::uint8_t, 4>{0xf3, 0x0f, 0xb8, 0xc0}));  // popcnt
}

// The targets are assembly, each instruction numbered, so that the counts are known to the digit.
std::vector<std::string> target(const std::string& name) {
  return {BOPS_ORACLE_TARGETS + name};
}

TEST(InstructionBytes, system_calls_are_told_from_their_neighbours) {
  EXPECT_TRUE(is_system_call_instruction(std::array<std::uint8_t, 2>{0x0f, 0x05}));
  EXPECT_TRUE(is_system_call_instruction(std::array<std::uint8_t, 2>{0xcd, 0x80}));
  EXPECT_FALSE(is_system_call_instruction(std::array<std::uint8_t, 2>{0x0f, 0x0b}));
  EXPECT_FALSE(is_system_call_instruction(std::array<std::uint8_t, 1>{0x0f}));
}

TEST(SingleStepper, a_rep_interrupted_by_signal_handlers_is_one_instruction) {
  std::uint64_t reps = 0;
  const auto result = single_step(
      target("interrupted_rep"), Follow::kFirstThread,
      [&](const Step& step) { reps += is_repeated_string_instruction(step.bytes) ? 1U : 0U; });
  ASSERT_TRUE(result) << result.error().message;
  ASSERT_TRUE(result->exit_code);
  const int handler_runs = *result->exit_code;
  EXPECT_GE(handler_runs, 1) << "the timer interrupted nothing";
  EXPECT_EQ(reps, 1U);
  EXPECT_EQ(result->instructions, 24U + 4U * static_cast<unsigned>(handler_runs));
}

TEST(SingleStepper, an_instruction_that_faults_is_not_counted) {
  const auto result = single_step(target("faults"), Follow::kFirstThread);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->instructions, 2U);
  EXPECT_EQ(result->signal, SIGSEGV);
  EXPECT_EQ(result->exit_code, std::nullopt);
}

TEST(SingleStepper, children_are_counted_only_when_followed) {
  const auto alone = single_step(target("forks_twice"), Follow::kFirstThread);
  std::map<pid_t, std::uint64_t> by_tid;
  const auto all = single_step(target("forks_twice"), Follow::kEverything,
                               [&](const Step& step) { ++by_tid[step.tid]; });
  ASSERT_TRUE(alone);
  ASSERT_TRUE(all);
  EXPECT_EQ(alone->exit_code, 3);
  EXPECT_EQ(all->exit_code, 3);
  EXPECT_EQ(alone->instructions, 28U);
  EXPECT_EQ(all->instructions, 28U + 2 * 5U);
  EXPECT_EQ(by_tid.size(), 3U);
}

TEST(SingleStepper, threads_are_counted_only_when_followed) {
  const auto alone = single_step(target("starts_thread"), Follow::kFirstThread);
  const auto all = single_step(target("starts_thread"), Follow::kEverything);
  ASSERT_TRUE(alone);
  ASSERT_TRUE(all);
  EXPECT_EQ(alone->instructions, 16U);
  EXPECT_EQ(all->instructions, 16U + 202U);
}

TEST(SingleStepper, a_program_that_cannot_be_started_is_an_error) {
  EXPECT_FALSE(single_step({"/nonexistent/program"}, Follow::kFirstThread));
  EXPECT_FALSE(single_step({}, Follow::kFirstThread));
}

}  // namespace
}  // namespace bops::oracle
