// Decoded operations against counts that are known without any of our rules.
#include <gtest/gtest.h>

#include "tests/harness/subprocess.hpp"

namespace bops {
namespace {

/// Floating-point operations of one execution of the kernel.
std::uint64_t floating_point(const std::string& kernel, const std::string& build,
                             std::uint64_t size) {
  const auto counted = [&](const char* repeats, const char* idle) {
    const auto run = harness::count(
        {std::string(BOPS_RUNTIME_DIR) + "/workloads/bops-workload-" + build, kernel, "--size",
         std::to_string(size), "--repeat-kernel", repeats, "--idle-repeats", idle});
    EXPECT_EQ(run.ended.code, 0) << run.ended.errors;
    return run.record.at("totals").at("operations").at("floating_point").get<std::uint64_t>();
  };
  return counted("2", "0") - counted("1", "1");
}

TEST(Outside, a_matrix_product_is_2mnk_floating_point_operations_whatever_the_compiler_made_of_it) {
  for (const char* build :
       {"gcc-reference", "gcc-O0", "gcc-O2", "gcc-O3-v3", "clang-O0", "clang-O2", "clang-O3-v3"})
    for (const char* kernel : {"matmul", "matmul_blocked"})
      for (const std::uint64_t n : {32U, 64U, 96U})
        EXPECT_EQ(floating_point(kernel, build, n), 2 * n * n * n) << build << ' ' << kernel;
}

TEST(Outside, a_dot_product_is_2n_floating_point_operations_up_to_the_sums_of_its_lanes) {
  for (const char* build : {"gcc-reference", "gcc-O0", "clang-O0"})
    EXPECT_EQ(floating_point("dot", build, 10000), 20000U) << build;
}

}  // namespace
}  // namespace bops
