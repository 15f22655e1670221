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

CalibrationRow calibration(double drift, bool skewed, bool moved) {
  CalibrationRow made;
  made.kernel = "quicksort_hoare";
  made.build = "gcc-O2";
  made.input = skewed ? "sorted" : "64 x work";
  made.skewed = skewed;
  if (moved) made.mix_moves = {"loads are 30.0 % of the instructions"};
  made.drift = drift;
  return made;
}

TEST(Calibrated, judges_another_distribution_unless_bops_warns_that_the_mix_has_moved) {
  Validation validation;
  validation.calibrations = {calibration(0.01, false, false), calibration(0.4, true, true)};
  const Verdict warned = verdict(validation, "calibrated");
  EXPECT_EQ(warned.judgement, Judgement::kHolds);
  EXPECT_EQ(warned.judged, 1U);
  EXPECT_EQ(warned.warned, 1U);
  ASSERT_EQ(warned.remarks.size(), 1U);
  EXPECT_NE(warned.remarks[0].find("quicksort_hoare gcc-O2 sorted +40.0 %"), std::string::npos);
  validation.calibrations[1].mix_moves.clear();
  const Verdict silent = verdict(validation, "calibrated");
  EXPECT_EQ(silent.judgement, Judgement::kFails) << "a factor that is wrong without a warning";
  EXPECT_EQ(silent.offenders, std::vector<std::string>{"quicksort_hoare gcc-O2 sorted +40.0 %"});
}

TEST(Calibrated, judges_larger_inputs_whether_their_mix_has_moved_or_not) {
  Validation validation;
  validation.calibrations = {calibration(0.4, false, true)};
  EXPECT_EQ(verdict(validation, "calibrated").judgement, Judgement::kFails);
}

TEST(Calibrated, does_not_hold_where_all_that_was_tried_is_not_covered) {
  Validation validation;
  validation.calibrations = {calibration(0.4, true, true)};
  EXPECT_EQ(verdict(validation, "calibrated").judgement, Judgement::kNotMeasured);
}

TEST(ErrorText, keeps_small_errors_apart_from_none) {
  EXPECT_EQ(error_text(0.048), "+4.8 %");
  EXPECT_EQ(error_text(-0.00006), "-0.01 %");
  EXPECT_EQ(error_text(0), "+0.0 %");
}

}  // namespace
}  // namespace bops::validate
