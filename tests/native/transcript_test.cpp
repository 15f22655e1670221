// Programs that print what they saw of signals, threads, processes and memory (programs/): under
// the native engine they print, and end, as they do alone, and are counted in full.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "tests/harness/subprocess.hpp"

namespace bops {
namespace {

using Words = std::vector<std::string>;

std::vector<std::string> programs() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(BOPS_TRANSCRIPTS))
    names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

void expect_the_same(const Words& command) {
  const auto alone = harness::run(command);
  EXPECT_EQ(alone.output.find("FAILED"), std::string::npos) << alone.output;
  const auto counted = harness::count(command, {"--collector", "native"});
  EXPECT_EQ(counted.ended.output, alone.output);
  EXPECT_EQ(counted.ended.errors, alone.errors);
  EXPECT_EQ(counted.ended.code, alone.code);
  EXPECT_EQ(counted.ended.signal, alone.signal);
  ASSERT_FALSE(counted.record.is_null());
  EXPECT_EQ(counted.record.at("quality"), "exact") << counted.record.at("warnings").dump(1);
  std::uint64_t sum = 0;
  for (const auto& thread : counted.record.at("threads"))
    sum += thread.at("instructions").get<std::uint64_t>();
  EXPECT_EQ(counted.record.at("totals").at("instructions"), sum);
}

class Transcript : public ::testing::TestWithParam<std::string> {};

TEST_P(Transcript, is_the_same_under_the_engine_as_alone) {
  expect_the_same({std::string(BOPS_TRANSCRIPTS) + "/" + GetParam()});
}

INSTANTIATE_TEST_SUITE_P(Programs, Transcript, ::testing::ValuesIn(programs()),
                         [](const auto& test) { return test.param; });

TEST(NativeEngine, follows_a_library_loaded_and_unloaded_a_thousand_times) {
  expect_the_same({harness::target_program("dlopen_loop"), "1000"});
}

}  // namespace
}  // namespace bops
