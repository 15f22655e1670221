// A line of 10 GB, as it may come from a pipe: nobody may need its memory, or its disk.
#include <gtest/gtest.h>

#include <fstream>

#include "tests/harness/sanitized.hpp"
#include "tests/harness/subprocess.hpp"
#include "tests/usage/sample_usage.hpp"

namespace bops {
namespace {

using harness::bops_program;

/// A shell command that writes a good line, one of 10 GB, and a good line.
std::string lines(const std::string& good) {
  return "( cat " + good + "; head -c 10000000000 /dev/zero; echo; sed s/1000/1001/ " + good + " )";
}

class LongLine : public ::testing::Test {
 protected:
  void SetUp() override {
    if (harness::kSanitized)
      GTEST_SKIP() << "a sanitizer reserves more memory than the test allows";
    std::ofstream(good_) << usage_line(samples::usage_record()) << '\n';
  }
  /// What `bops usage WORDS` with 120 MB of memory says of these lines on its standard input.
  [[nodiscard]] harness::Ended bops(const std::string& words) const {
    return harness::run({"bash", "-c",
                         "set -o pipefail; " + lines(good_) + " | ( ulimit -v 120000 && exec " +
                             bops_program() + " usage " + words + " )"});
  }
  harness::TemporaryDirectory directory_;
  const std::string good_ = directory_ / "good.jsonl";
};

TEST_F(LongLine, of_10_gigabytes_is_quarantined_by_import) {
  const auto ended = bops("import - --json --ledger " + (directory_ / "l.db"));
  ASSERT_EQ(ended.code, 0) << ended.errors;
  const auto summary = nlohmann::json::parse(ended.output);
  EXPECT_EQ(summary.at("added"), 2);
  EXPECT_EQ(summary.at("quarantined"), 1);
  EXPECT_NE(ended.errors.find("line 2: the line is longer"), std::string::npos) << ended.errors;
}

TEST_F(LongLine, of_10_gigabytes_is_left_out_by_rating) {
  std::ofstream(directory_ / "prices.json") << R"([{"unit": "1", "per": 1, "currency": "CNY"}])";
  const auto ended = bops("rate --records - --prices " + (directory_ / "prices.json"));
  ASSERT_EQ(ended.code, 0) << ended.errors;
  EXPECT_NE(ended.errors.find("line 2: the line is longer"), std::string::npos) << ended.errors;
}

}  // namespace
}  // namespace bops
