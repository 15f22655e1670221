// Every kernel in every build, xz on real bytes, and a chess engine: minutes of emulation.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "tests/harness/subprocess.hpp"
#include "tests/validation/calibrated_prediction.hpp"

namespace bops {
namespace {

void expect_within_stated(const Prediction& prediction) {
  ASSERT_EQ(prediction.failure, "");
  EXPECT_LE(prediction.actual, prediction.stated);
  testing::Test::RecordProperty("stated", std::to_string(prediction.stated));
  testing::Test::RecordProperty("actual", std::to_string(prediction.actual));
}

class EveryKernel : public testing::TestWithParam<std::tuple<const char*, const char*>> {};

TEST_P(EveryKernel, of_64_times_the_input_is_predicted_within_the_stated_residual) {
  const auto& [build, kernel] = GetParam();
  if (workload(build).empty()) GTEST_SKIP() << "no compiler for " << build;
  if (std::string(build).ends_with("v3") && !__builtin_cpu_supports("avx2"))
    GTEST_SKIP() << "the CPU has no AVX2";
  expect_within_stated(predict_kernel(build, kernel));
}

INSTANTIATE_TEST_SUITE_P(
    Calibrated, EveryKernel,
    testing::Combine(testing::Values("gcc-reference", "gcc-O0", "gcc-O2", "gcc-O3-v3", "clang-O0",
                                     "clang-O2", "clang-O3-v3"),
                     testing::Values("quicksort_lomuto", "quicksort_hoare", "quicksort_reread",
                                     "quicksort_hole", "stream", "matmul", "matmul_blocked",
                                     "heap_sort", "shell_sort", "histogram", "stencil", "dot",
                                     "poly2")),
    [](const auto& kernel) {
      std::string name = std::string(std::get<0>(kernel.param)) + "_" + std::get<1>(kernel.param);
      std::replace(name.begin(), name.end(), '-', '_');
      return name;
    });

TEST(CalibratedXz, of_64_times_the_bytes_of_a_program_is_predicted_within_the_stated_residual) {
  if (::access("/usr/bin/xz", X_OK) != 0) GTEST_SKIP() << "xz is not installed";
  const harness::TemporaryDirectory directory;
  std::string bytes = harness::read_file(harness::bops_program());
  constexpr std::size_t kLargest = 65'536UL * 64;
  if (bytes.size() < kLargest) GTEST_SKIP() << "bops itself is too small to be compressed here";
  const auto command = [&](std::size_t size) {
    const std::string file = directory / std::to_string(size);
    std::ofstream(file, std::ios::binary) << bytes.substr(0, size);
    return Words{"/usr/bin/xz", "-T1", "-kc", file};
  };
  expect_within_stated(
      predict({command(4'096), command(16'384), command(65'536)}, command(kLargest)));
}

TEST(CalibratedStockfish, of_64_times_the_nodes_is_predicted_within_the_stated_residual) {
  const std::string program = "/usr/games/stockfish";
  if (::access(program.c_str(), X_OK) != 0) GTEST_SKIP() << "stockfish is not installed";
  const auto command = [&program](int nodes) {
    return Words{program, "bench", "16", "1", std::to_string(nodes), "default", "nodes"};
  };
  expect_within_stated(predict({command(20), command(80), command(320)}, command(64 * 320)));
}

}  // namespace
}  // namespace bops
