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

/// Multiply-adds of ResNet-50's convolutions that fall on padding, which a count from the layers'
/// shapes has and a kernel leaves out. Of a layer with k x k taps, the taps within the picture are
/// a product of two equal fractions, one for each direction.
double multiply_adds_on_padding() {
  struct Layers {
    double count, outputs, channels_in, channels_out, taps;
    double missing;  ///< taps that miss the picture, summed over the outputs of one direction
  };
  constexpr Layers kPadded[] = {
      {1, 112, 3, 64, 7, 6},  // the first layer, stride 2: 3 + 1 taps in front, 2 behind
      {3, 56, 64, 64, 3, 2},  // 3 x 3, stride 1: one tap at each end
      {3, 28, 128, 128, 3, 2}, {5, 14, 256, 256, 3, 2},
      {2, 7, 512, 512, 3, 2},  {1, 28, 128, 128, 3, 1},  // 3 x 3, stride 2: one tap in front
      {1, 14, 256, 256, 3, 1}, {1, 7, 512, 512, 3, 1},
  };
  double sum = 0;
  for (const Layers& layer : kPadded) {
    const double per_layer = layer.outputs * layer.outputs * layer.channels_in *
                             layer.channels_out * layer.taps * layer.taps;
    const double inside = 1 - layer.missing / (layer.outputs * layer.taps);
    sum += layer.count * per_layer * (1 - inside * inside);
  }
  return sum;
}

TEST(Outside, resnet50_is_its_published_multiply_adds_less_those_on_padding) {
  if (harness::run({"/usr/bin/python3", "-c", "import torchvision"}).code != 0)
    GTEST_SKIP() << "python3-torchvision is not installed: scripts/install_dependencies --full";
  const auto counted = [&](const char* passes) {
    const auto run = harness::count({"/usr/bin/python3", BOPS_RESNET50, passes}, {"--strict"});
    EXPECT_EQ(run.ended.code, 0) << run.ended.errors;
    return run.record.at("totals").at("operations").at("floating_point").get<double>();
  };
  constexpr double kPublishedMultiplyAdds = 4.089e9;  // torchvision's documentation: 4.09 GFLOPS
  const double expected = 2 * (kPublishedMultiplyAdds - multiply_adds_on_padding());
  const double measured = counted("1") - counted("0");
  // The rest is batch normalisation, activations, pooling: below two operations for each of the
  // 11 million values between the layers, and nothing below 0 but the rounding of the published.
  EXPECT_GT(measured, 0.999 * expected);
  EXPECT_LT(measured, 1.015 * expected);
}

}  // namespace
}  // namespace bops
