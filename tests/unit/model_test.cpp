#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>

#include "model/bops.hpp"
#include "model/quality.hpp"
#include "model/run_counts.hpp"
#include "model/sampled_functions.hpp"

namespace bops {
namespace {

TEST(Formula, subtracts_loads_stores_and_branches_from_the_total) {
  EXPECT_EQ(bops_formula(InstructionCounts{100, 20, 10, 5}), 65);
}

TEST(Formula, is_negative_where_instructions_are_in_several_classes) {
  EXPECT_EQ(bops_formula(InstructionCounts{10, 10, 10, 10}), -20);
}

TEST(Formula, holds_counts_beyond_32_bits) {
  const std::uint64_t many = std::uint64_t{1} << 60;
  EXPECT_EQ(bops_formula(InstructionCounts{many, 1, 1, 1}), static_cast<std::int64_t>(many - 3));
}

TEST(SampledEstimate, is_the_formula_of_what_the_samples_stand_for) {
  const FormulaSamples all{1000, 300, 200, 100};
  EXPECT_EQ(estimate_of({100, 30, 20, 10}, all, 7).bops_formula, 7 * (100 - 30 - 20 - 10));
  EXPECT_EQ(estimate_of({0, 3, 0, 0}, all, 7).bops_formula, -21);
  EXPECT_EQ(estimate_of({0, 0, 0, 0}, all, 7), SampledEstimate{});
}

TEST(SampledEstimate, of_parts_sum_to_that_of_the_whole) {
  const FormulaSamples all{1000, 300, 200, 100};
  const auto part = estimate_of({400, 100, 150, 60}, all, 11).bops_formula;
  const auto rest = estimate_of({600, 200, 50, 40}, all, 11).bops_formula;
  EXPECT_EQ(part + rest, estimate_of(all, all, 11).bops_formula);
}

TEST(SampledEstimate, has_the_error_of_binomial_samples_and_of_where_periods_begin) {
  // Instructions alone: n p (1 - p) = 1000 * 1/4 * 3/4.
  const double error = estimate_of({250, 0, 0, 0}, {1000, 0, 0, 0}, 10).standard_error;
  EXPECT_DOUBLE_EQ(error, 10 * std::sqrt(1000 * 0.25 * 0.75 + 1));
  // All samples in one function: nothing is unsure but a period of each event.
  const FormulaSamples all{1000, 300, 200, 100};
  EXPECT_DOUBLE_EQ(estimate_of(all, all, 10).standard_error, 10 * std::sqrt(4.0));
  // Four times the samples: half the error, relative to the estimate.
  const auto few = estimate_of({100, 30, 20, 10}, {10000, 3000, 2000, 1000}, 10);
  const auto many = estimate_of({400, 120, 80, 40}, {40000, 12000, 8000, 4000}, 10);
  EXPECT_NEAR(many.standard_error / static_cast<double>(many.bops_formula) /
                  (few.standard_error / static_cast<double>(few.bops_formula)),
              0.5, 0.01);
}

TEST(SampledEstimate, is_within_two_standard_errors_of_the_truth_in_nineteen_of_twenty_runs) {
  constexpr std::uint64_t kPeriod = 1000;
  constexpr std::uint64_t kSamples = 2000;
  constexpr int kRuns = 2000;
  constexpr std::array kShares{0.3, 0.5, 0.1, 0.4};  // of each event, in the function
  const FormulaSamples all{kSamples, kSamples / 4, kSamples / 8, kSamples / 10};
  double truth = 0;
  for (std::size_t event = 0; event < all.size(); ++event)
    truth += (event == 0 ? 1 : -1) * kShares.at(event) * static_cast<double>(all.at(event)) *
             static_cast<double>(kPeriod);
  std::mt19937_64 random(1);  // NOLINT(cert-msc51-cpp): the same runs each time
  int within = 0;
  for (int run = 0; run < kRuns; ++run) {
    FormulaSamples samples{};
    for (std::size_t event = 0; event < all.size(); ++event)
      samples.at(event) = static_cast<std::uint64_t>(std::binomial_distribution<std::int64_t>(
          static_cast<std::int64_t>(all.at(event)), kShares.at(event))(random));
    const SampledEstimate estimate = estimate_of(samples, all, kPeriod);
    const double off = std::abs(static_cast<double>(estimate.bops_formula) - truth);
    within += off <= 2 * estimate.standard_error ? 1 : 0;
  }
  EXPECT_GT(within, kRuns * 93 / 100);
  EXPECT_LT(within, kRuns * 98 / 100) << "errors larger than need be";
}

TEST(Quality, of_a_sum_is_the_poorer_of_both) {
  EXPECT_EQ(poorer(Quality::kExact, Quality::kPartial), Quality::kPartial);
  EXPECT_EQ(poorer(Quality::kMissing, Quality::kScaled), Quality::kMissing);
  EXPECT_EQ(poorer(Quality::kExact, Quality::kExact), Quality::kExact);
}

TEST(Counts, of_a_part_without_operations_leave_the_sum_without_them) {
  Counts sum = Counts::exact_zero();
  sum += Counts{{7, 1, 1, 1}, std::nullopt, std::nullopt};
  EXPECT_EQ(sum.instructions.total, 7U);
  EXPECT_FALSE(sum.operations.has_value());
  sum += Counts::exact_zero();
  EXPECT_FALSE(sum.operations.has_value()) << "what was lost does not come back";
}

TEST(Counts, subtract_to_the_difference_of_two_snapshots) {
  const Counts before{{10, 1, 2, 3}, Operations{4, 5, 6}, InstructionClasses{1, 1, 1, 1, 1, 1, 1}};
  Counts now{{30, 4, 6, 8}, Operations{14, 5, 9}, InstructionClasses{2, 3, 4, 5, 6, 7, 8}};
  now -= before;
  EXPECT_EQ(now.instructions, (InstructionCounts{20, 3, 4, 5}));
  EXPECT_EQ(*now.operations, (Operations{10, 0, 3}));
  EXPECT_EQ(*now.classes, (InstructionClasses{1, 2, 3, 4, 5, 6, 7}));
}

TEST(RunCounts, total_is_the_sum_of_the_threads) {
  RunCounts run;
  for (std::uint64_t i = 1; i <= 4; ++i) {
    ThreadCounts thread;
    thread.counts = Counts::exact_zero();
    thread.counts.instructions = {10 * i, i, i, i};
    run.threads.push_back(thread);
  }
  EXPECT_EQ(run.totals().instructions, (InstructionCounts{100, 10, 10, 10}));
}

}  // namespace
}  // namespace bops
