#include <gtest/gtest.h>

#include <limits>

#include "model/bops.hpp"
#include "model/quality.hpp"
#include "model/run_counts.hpp"

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
