// The judgement of bops validate --gpu, on counts made by hand.
#include "validate/gpu_claims.hpp"

#include <gtest/gtest.h>

namespace bops::validate {
namespace {

GpuCounts counts() {
  GpuCounts counts;
  counts.warp = GpuFormulaCounts{1000, 200, 100, 300, 50};
  counts.operations = {{"fp32", 2048}};
  counts.beside = {{"shared_stores", 64}};
  return counts;
}

TEST(GpuClaims, finds_a_count_by_its_name_and_nothing_where_it_was_not_measured) {
  EXPECT_EQ(measured(counts(), "warp.stores"), 100U);
  EXPECT_EQ(measured(counts(), "operations:fp32"), 2048U);
  EXPECT_EQ(measured(counts(), "beside:shared_stores"), 64U);
  EXPECT_FALSE(measured(counts(), "thread.instructions"));
  EXPECT_FALSE(measured(counts(), "operations:fp64")) << "not 0";
  EXPECT_FALSE(measured(counts(), "operations"));
}

TEST(GpuClaims, hold_to_the_digit_where_nothing_else_is_said) {
  EXPECT_TRUE(holds({"k", "w", 1000, 0}, 1000));
  EXPECT_FALSE(holds({"k", "w", 1000, 0}, 1001));
  EXPECT_FALSE(holds({"k", "w", 1000, 0}, 999));
}

TEST(GpuClaims, let_a_compiler_add_but_not_take_away) {
  EXPECT_TRUE(holds({"k", "w", 1000, 0.3}, 1300));
  EXPECT_FALSE(holds({"k", "w", 1000, 0.3}, 1301));
  EXPECT_TRUE(holds({"k", "w", 1000, 0.3}, 1000));
  EXPECT_FALSE(holds({"k", "w", 1000, 0.3}, 990));
}

TEST(GpuClaims, are_read_from_what_the_workload_lists_and_refused_from_anything_else) {
  const auto kernels = read_gpu_kernels(
      R"([{"name": "k", "title": "t", "size": 8,
           "expectations": [{"what": "warp.stores", "count": 64, "within": 0.5}]}])");
  ASSERT_TRUE(kernels);
  ASSERT_EQ(kernels->front().expectations.size(), 1U);
  EXPECT_EQ(kernels->front().expectations.front().count, 64U);
  EXPECT_FALSE(read_gpu_kernels("[{}]"));
  EXPECT_FALSE(read_gpu_kernels("nonsense"));
}

}  // namespace
}  // namespace bops::validate
