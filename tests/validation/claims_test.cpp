#include "validate/claims.hpp"

#include <gtest/gtest.h>

#include "tests/validation/fake_bench.hpp"

namespace bops::validate {
namespace {

Row row(const std::string& kernel, const std::string& build, double error, bool judged = true) {
  Row made;
  made.kernel = kernel;
  made.build = build;
  made.judged = judged;
  made.source = 100;
  made.error = {error, std::nullopt};
  return made;
}

Verdict verdict(const Validation& validation, const std::string& claim, double bound = 0.08) {
  return *find_verdict(judge(validation, shipped_rules(), bound), claim);
}

TEST(Verdict, names_the_rows_that_are_outside_and_no_others) {
  Validation validation;
  validation.rows = {row("stream", "gcc-reference", 0.079), row("matmul", "gcc-reference", -0.081),
                     row("stream", "gcc-O2", 0.5)};
  const Verdict reference = verdict(validation, "reference");
  EXPECT_EQ(reference.judgement, Judgement::kFails);
  EXPECT_EQ(reference.offenders, std::vector<std::string>{"matmul gcc-reference -8.1 %"});
  EXPECT_EQ(reference.worst, -0.081);
  EXPECT_EQ(reference.judged, 2U);
  EXPECT_EQ(verdict(validation, "anywhere").offenders.size(), 2U);
}

TEST(Verdict, of_the_reference_build_does_not_depend_on_other_builds) {
  Validation validation;
  validation.rows = {row("stream", "gcc-reference", 0.01), row("stream", "gcc-O2", -0.9)};
  EXPECT_EQ(verdict(validation, "reference").judgement, Judgement::kHolds);
  EXPECT_EQ(verdict(validation, "anywhere").judgement, Judgement::kFails);
}

TEST(Verdict, shows_hold_outs_that_are_outside_without_judging_them) {
  Validation validation;
  validation.rows = {row("stream", "gcc-reference", 0.01),
                     row("poly2", "gcc-reference", 0.22, false)};
  const Verdict reference = verdict(validation, "reference");
  EXPECT_EQ(reference.judgement, Judgement::kHolds);
  EXPECT_EQ(reference.judged, 1U);
  ASSERT_EQ(reference.remarks.size(), 1U);
  EXPECT_NE(reference.remarks[0].find("poly2 gcc-reference +22.0 %"), std::string::npos);
}

TEST(Verdict, says_when_the_seeds_do_not_settle_it) {
  Validation validation;
  validation.rows = {row("stream", "gcc-reference", 0.07)};
  validation.rows[0].error.half_width = 0.005;
  EXPECT_TRUE(verdict(validation, "reference").remarks.empty());
  validation.rows[0].error.half_width = 0.02;
  const Verdict reference = verdict(validation, "reference");
  EXPECT_EQ(reference.judgement, Judgement::kHolds);
  EXPECT_EQ(reference.remarks.size(), 1U);
}

TEST(Verdict, is_not_given_for_what_was_not_measured) {
  Validation validation;
  EXPECT_EQ(verdict(validation, "reference").judgement, Judgement::kNotMeasured);
  validation.rows = {row("stream", "gcc-reference", 0.01), row("matmul", "gcc-reference", 0)};
  validation.rows[1].missing = "it was killed";
  EXPECT_EQ(verdict(validation, "reference").judgement, Judgement::kNotMeasured);
  EXPECT_EQ(verdict(validation, "decoded").judgement, Judgement::kNotMeasured);
}

TEST(Verdict, fails_where_an_expectation_is_not_met_however_small_the_error) {
  Validation validation;
  validation.rows = {row("stream", "gcc-reference", 0.0)};
  validation.rows[0].wrong = {"the instrumented kernel's tallies are not its closed form"};
  const Verdict reference = verdict(validation, "reference");
  EXPECT_EQ(reference.judgement, Judgement::kFails);
  EXPECT_NE(reference.offenders.at(0).find("closed form"), std::string::npos);
}

TEST(Verdict, is_not_fooled_by_an_error_that_is_no_number) {
  Validation validation;
  validation.rows = {row("stream", "gcc-reference", std::numeric_limits<double>::quiet_NaN())};
  EXPECT_EQ(verdict(validation, "reference").judgement, Judgement::kFails);
}

TEST(ErrorText, keeps_small_errors_apart_from_none) {
  EXPECT_EQ(error_text(0.048), "+4.8 %");
  EXPECT_EQ(error_text(-0.00006), "-0.01 %");
  EXPECT_EQ(error_text(0), "+0.0 %");
}

}  // namespace
}  // namespace bops::validate
