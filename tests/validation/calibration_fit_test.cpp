// The ratio and its residual, on counts made up here.
#include "validate/calibration_fit.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "model/bops.hpp"

namespace bops {
namespace {

/// Half of the instructions are formula BOPs.
Counts counts_of(std::uint64_t formula, double operations) {
  Counts counts = Counts::exact_zero();
  counts.instructions = {2 * formula, formula / 2, formula / 4, formula / 4};
  counts.operations->integer = static_cast<std::uint64_t>(operations);
  return counts;
}

CalibrationInput input_of(std::uint64_t formula, double operations,
                          std::vector<Counts> course = {}) {
  const Counts counts = counts_of(formula, operations);
  return {{3, CalibrationRun{counts, counts.instructions, std::move(course)}}};
}

/// `work` formula BOPs at the ratio `at`, behind a start-up of 100,000 at the ratio 1.
CalibrationInput program(double work, double at) {
  return input_of(static_cast<std::uint64_t>(work) + 100'000, 100'000 + work * at);
}

CalibrationFit fit_of(const std::vector<CalibrationInput>& inputs) {
  const auto fit = fit_calibration(inputs);
  EXPECT_TRUE(fit) << fit.error().message;
  return fit ? *fit : CalibrationFit{};
}

TEST(CalibrationFit, starts_from_the_largest_input_whatever_their_order) {
  const CalibrationFit fit =
      fit_of({input_of(4'000'000, 8e6), input_of(16'000'000, 40e6), input_of(1'000'000, 1e6)});
  EXPECT_DOUBLE_EQ(fit.estimate(16e6), 40e6);
  EXPECT_DOUBLE_EQ(fit.ratio, 32. / 12) << "of what it does beyond the next smaller one";
  ASSERT_EQ(fit.inputs.size(), 3U);
  EXPECT_DOUBLE_EQ(fit.inputs.front().bops_formula, 1e6);
  EXPECT_EQ(fit.formula_from, 900'000U);
  EXPECT_EQ(fit.formula_to, 256U * 16'000'000);
}

TEST(CalibrationFit, a_constant_ratio_over_three_inputs_leaves_the_allowance_alone) {
  const CalibrationFit fit =
      fit_of({input_of(1'000'000, 2e6), input_of(4'000'000, 8e6), input_of(16'000'000, 32e6)});
  EXPECT_NEAR(fit.residual.inputs, 0, 1e-9);
  EXPECT_EQ(fit.residual.repetition, 0);
  EXPECT_EQ(fit.residual.course, 0);
  EXPECT_GT(fit.residual.allowance, 0);
  EXPECT_DOUBLE_EQ(fit.residual.total(), fit.residual.inputs + fit.residual.allowance);
}

TEST(CalibrationFit, takes_the_start_up_out_even_where_it_is_most_of_the_inputs) {
  const CalibrationFit fit = fit_of({program(1e4, 2), program(4e4, 2), program(16e4, 2)});
  EXPECT_NEAR(fit.ratio, 2, 1e-9);
  EXPECT_NEAR(fit.estimate(1e5 + 64 * 16e4), 1e5 + 2 * 64 * 16e4, 1);
  EXPECT_NEAR(fit.residual.inputs, 0, 1e-9);
}

TEST(CalibrationFit, estimates_smaller_runs_between_the_inputs) {
  const CalibrationFit fit = fit_of({program(1e4, 2), program(4e4, 3), program(16e4, 2)});
  EXPECT_NEAR(fit.estimate(1e5 + 1e4), 1e5 + 2e4, 1e-6);
  EXPECT_NEAR(fit.estimate(1e5 + 2.5e4), 1e5 + 7e4, 1e-6) << "half-way from 2e4 to 12e4";
  EXPECT_NEAR(fit.estimate(55'000), 60'000, 1e-6) << "half of the smallest";
}

TEST(CalibrationFit, covers_a_ratio_that_drifts_with_the_logarithm_of_the_work) {
  for (const double drift : {0.02, -0.02}) {
    const auto at = [drift](double work) {
      return input_of(static_cast<std::uint64_t>(work), work * (2 + drift * std::log(work)));
    };
    const CalibrationFit fit = fit_of({at(1e6), at(4e6), at(16e6)});
    const double larger = 2 + drift * std::log(16e6 * kCalibrationReach);
    const double formula = 16e6 * kCalibrationReach;
    EXPECT_LE(std::abs(larger * formula / fit.estimate(formula) - 1), fit.residual.total());
    EXPECT_GT(fit.residual.total(), 0.05) << drift;
  }
}

TEST(CalibrationFit, two_inputs_claim_less_than_three_and_more_than_one) {
  const std::vector<CalibrationInput> inputs = {
      input_of(1'000'000, 2e6, {counts_of(500'000, 1e6), counts_of(500'000, 1e6)}),
      input_of(4'000'000, 8e6), input_of(16'000'000, 32e6)};
  const double one = fit_of({inputs[0]}).residual.total();
  const double two = fit_of({inputs[0], inputs[1]}).residual.total();
  const double three = fit_of(inputs).residual.total();
  EXPECT_GT(one, 1.5 * two);
  EXPECT_GT(two, 1.5 * three);
}

TEST(CalibrationFit, inputs_of_the_same_size_state_their_scatter) {
  const CalibrationFit fit =
      fit_of({input_of(1'000'000, 2e6), input_of(1'100'000, 2.42e6), input_of(1'050'000, 2.1e6)});
  EXPECT_GT(fit.residual.inputs, 0.1) << "the ratios are 2.0 and 2.2";
  EXPECT_LT(fit.residual.inputs, 0.3) << "as no trend over the size";
}

TEST(CalibrationFit, one_input_states_how_far_the_parts_of_its_run_differ) {
  const std::vector<Counts> start_then_work = {counts_of(100'000, 1e5), counts_of(50'000, 5e4),
                                               counts_of(100'000, 2e5), counts_of(250'000, 5e5)};
  const CalibrationFit fit = fit_of({input_of(500'000, 8.5e5, start_then_work)});
  EXPECT_GT(fit.residual.course, 2 / 1.7 - 1 - 1e-9) << "a larger run is work alone";
  EXPECT_LT(fit.residual.course, 0.5);
}

TEST(CalibrationFit, a_run_too_short_to_see_its_parts_states_that_nothing_is_known) {
  const Counts counts = counts_of(500'000, 1e6);
  EXPECT_EQ(fit_of({input_of(500'000, 1e6, {counts})}).residual.course, 1);
  EXPECT_EQ(fit_of({input_of(500'000, 1e6)}).residual.course, 1);
}

TEST(CalibrationFit, states_the_spread_of_repeated_runs) {
  CalibrationInput input = input_of(1'000'000, 2e6);
  input.runs[1].production.total += 100'000;
  const CalibrationFit fit = fit_of({input, input, input});
  EXPECT_GT(fit.residual.repetition, 0.06);
  EXPECT_LT(fit.residual.repetition, 0.2);
}

TEST(CalibrationFit, allows_more_where_the_formula_is_a_small_part_of_the_instructions) {
  CalibrationInput poor = input_of(1'000'000, 2e6);
  for (CalibrationRun& run : poor.runs) {
    run.production.total += 8'000'000;
    run.production.loads += 8'000'000;
  }
  EXPECT_NEAR(fit_of({poor}).residual.allowance,
              5 * fit_of({input_of(1'000'000, 2e6)}).residual.allowance, 1e-9);
}

TEST(CalibrationFit, refuses_a_formula_that_is_not_positive_and_a_run_without_operations) {
  CalibrationInput negative = input_of(1'000'000, 2e6);
  negative.runs[2].production.loads += 1'000'000;
  const auto refused = fit_calibration({negative});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("not positive"), std::string::npos);
  CalibrationInput undecoded = input_of(1'000'000, 2e6);
  undecoded.runs[0].exact.operations.reset();
  EXPECT_FALSE(fit_calibration({undecoded}));
}

TEST(CalibrationMix, keeps_still_within_its_range_and_two_points_beyond) {
  const InstructionMix mix{{0.20, 0.25}, {0.10, 0.10}, {0.15, 0.15}, {0.45, 0.60}};
  EXPECT_TRUE(mix_moves(mix, {1000, 185, 100, 150}).empty());
  EXPECT_TRUE(mix_moves(mix, {1000, 265, 115, 135}).empty());
  EXPECT_EQ(mix_moves(mix, {1000, 175, 100, 150}).size(), 1U);
  EXPECT_EQ(mix_moves(mix, {1000, 275, 100, 150}).size(), 1U);
  EXPECT_EQ(mix_moves(mix, {1000, 220, 125, 175}).size(), 2U);
}

TEST(CalibrationMix, of_a_small_formula_has_moved_where_the_three_shares_alone_have_not) {
  const InstructionMix mix = mix_of({1000, 500, 200, 150});  // formula 15 %
  EXPECT_TRUE(mix_moves(mix, {1000, 500, 200, 150}).empty());
  EXPECT_TRUE(mix_moves(mix, {1000, 495, 200, 150}).empty()) << "a thirtieth of the formula";
  const auto moves = mix_moves(mix, {1000, 490, 195, 150});
  ASSERT_EQ(moves.size(), 1U) << "a tenth of it";
  EXPECT_NE(moves.front().find("formula BOPs are 16.5 %"), std::string::npos) << moves.front();
  EXPECT_EQ(mix_moves(mix, {1000, 515, 205, 145}).size(), 1U) << "a tenth less";
}

TEST(CalibrationMix, spans_all_inputs) {
  const CalibrationFit fit = fit_of({input_of(1'000'000, 2e6), input_of(4'000'000, 8e6)});
  EXPECT_DOUBLE_EQ(fit.mix.loads.lowest, 0.25);
  CalibrationInput other = input_of(4'000'000, 8e6);
  for (CalibrationRun& run : other.runs) run.production.loads += 800'000;
  const CalibrationFit both = fit_of({input_of(1'000'000, 2e6), other});
  EXPECT_DOUBLE_EQ(both.mix.loads.lowest, 0.25);
  EXPECT_DOUBLE_EQ(both.mix.loads.highest, 0.35);
}

}  // namespace
}  // namespace bops
