#include "validate/arithmetic.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "model/bops.hpp"

namespace bops::validate {
namespace {

TEST(ErrorSplit, model_and_counter_parts_sum_to_the_whole) {
  const InstructionCounts exact{1000, 200, 100, 150};    // formula 550
  const InstructionCounts counted{1010, 190, 100, 155};  // formula 565
  const ErrorSplit split = split_error(counted, exact, 500);
  EXPECT_DOUBLE_EQ(split.total, 65.0 / 500);
  EXPECT_DOUBLE_EQ(*split.model, 50.0 / 500);
  EXPECT_DOUBLE_EQ(*split.counter, 15.0 / 500);
  EXPECT_DOUBLE_EQ(*split.model + *split.counter, split.total);
  EXPECT_DOUBLE_EQ(*split.largest_count_error, 10.0 / 200) << "the loads are off the most";
}

TEST(ErrorSplit, of_an_exact_engine_has_no_counter_part) {
  const InstructionCounts counts{1000, 200, 100, 150};
  const ErrorSplit split = split_error(counts, counts, 600);
  EXPECT_EQ(*split.counter, 0.0);
  EXPECT_EQ(*split.largest_count_error, 0.0);
  EXPECT_EQ(*split.model, split.total);
}

TEST(ErrorSplit, is_not_made_up_without_an_exact_engine) {
  const ErrorSplit split = split_error({1000, 200, 100, 150}, std::nullopt, 600);
  EXPECT_FALSE(split.model);
  EXPECT_FALSE(split.counter);
  EXPECT_FALSE(split.largest_count_error);
  EXPECT_DOUBLE_EQ(split.total, -50.0 / 600);
}

TEST(Amplification, bounds_the_error_of_the_formula_by_that_of_the_counts) {
  const InstructionCounts exact{10000, 3000, 1000, 2000};  // formula 4000
  const double factor = *amplification(exact);
  EXPECT_DOUBLE_EQ(factor, 16000.0 / 4000);
  // Each count off by 1 percent, in the worst direction.
  const InstructionCounts counted{10100, 2970, 990, 1980};
  const double error = relative_error(bops_formula(counted), 4000);
  EXPECT_NEAR(error, factor * 0.01, 1e-12);
}

TEST(Amplification, has_no_value_where_the_formula_is_0_and_is_positive_where_it_is_negative) {
  EXPECT_FALSE(amplification({100, 50, 25, 25}));
  EXPECT_DOUBLE_EQ(*amplification({100, 60, 50, 40}), 250.0 / 50);
}

TEST(RelativeError, is_signed_and_holds_for_negative_values) {
  EXPECT_DOUBLE_EQ(relative_error(108, 100), 0.08);
  EXPECT_DOUBLE_EQ(relative_error(-50, 100), -1.5);
}

TEST(ConfidenceInterval, is_students_of_the_mean) {
  // s = 1, n = 3: 4.303 / sqrt(3)
  const Interval interval = confidence_interval(std::array{1.0, 2.0, 3.0});
  EXPECT_DOUBLE_EQ(interval.mean, 2.0);
  EXPECT_NEAR(*interval.half_width, 4.303 / std::sqrt(3.0), 1e-12);
  // Two values: 12.706 s / sqrt(2), s = sqrt(2) / 2 times their distance
  EXPECT_NEAR(*confidence_interval(std::array{0.0, 2.0}).half_width, 12.706, 1e-9);
}

TEST(ConfidenceInterval, is_unknown_for_one_value_and_narrows_with_more) {
  EXPECT_FALSE(confidence_interval(std::array{5.0}).half_width);
  const Interval few = confidence_interval(std::array{1.0, 3.0, 1.0, 3.0});
  const Interval more = confidence_interval(std::array{1.0, 3.0, 1.0, 3.0, 1.0, 3.0, 1.0, 3.0});
  EXPECT_LT(*more.half_width, *few.half_width);
  EXPECT_EQ(*confidence_interval(std::array{7.0, 7.0}).half_width, 0.0);
}

TEST(Difference, leaves_the_kernel_alone) {
  const Counts with{{1000, 200, 100, 50}, Operations{500, 20, 90}, std::nullopt};
  const Counts without{{400, 150, 90, 20}, Operations{200, 10, 95}, std::nullopt};
  const auto kernel = difference(with, without);
  ASSERT_TRUE(kernel);
  EXPECT_EQ(kernel->instructions, (InstructionCounts{600, 50, 10, 30}));
  EXPECT_EQ(kernel->decoded, 610U - 305U);
}

TEST(Difference, is_refused_where_it_would_be_negative_and_decodes_nothing_by_itself) {
  const Counts small{{100, 10, 10, 10}, std::nullopt, std::nullopt};
  const Counts large{{100, 11, 10, 10}, std::nullopt, std::nullopt};
  EXPECT_FALSE(difference(small, large));
  ASSERT_TRUE(difference(large, small));
  EXPECT_FALSE(difference(large, small)->decoded);
}

}  // namespace
}  // namespace bops::validate
