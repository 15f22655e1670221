#include <gtest/gtest.h>

#include <sstream>

#include "tests/workloads/program_run.hpp"

namespace bops::workloads {
namespace {

constexpr const char* kKernels[] = {"quicksort_lomuto",
                                    "quicksort_hoare",
                                    "quicksort_reread",
                                    "quicksort_hole",
                                    "stream",
                                    "matmul",
                                    "matmul_blocked",
                                    "heap_sort",
                                    "shell_sort",
                                    "histogram",
                                    "stencil",
                                    "dot",
                                    "poly2"};

/// The word after `key` in `text`, as a number; 0 if it is not there.
std::uint64_t number_after(const std::string& text, const std::string& key) {
  const std::size_t at = text.find(key);
  if (at == std::string::npos) return 0;
  std::istringstream rest(text.substr(at + key.size()));
  std::uint64_t number = 0;
  rest >> number;
  return number;
}

TEST(Programs, every_build_runs_every_kernel_and_its_check_passes) {
  for (const char* build :
       {"gcc-reference", "gcc-O0", "gcc-O2", "gcc-O3-v3", "clang-O0", "clang-O2", "clang-O3-v3"}) {
    if (program_path(build).empty()) continue;
    if (std::string(build).ends_with("v3") && !__builtin_cpu_supports("avx2")) continue;
    for (const char* kernel : kKernels) {
      const ProgramRun run = run_program(
          "bops-workload", std::string("run ") + kernel +
                               " --size 96 --repeat-kernel 2 --idle-repeats 1 --threads 2"
                               " --build " +
                               build);
      EXPECT_EQ(run.exit_code, 0) << build << ' ' << kernel << ": " << run.output;
    }
  }
}

TEST(Programs, gcc_and_clang_count_the_same) {
  if (program_path("gcc-counted").empty() || program_path("clang-counted").empty())
    GTEST_SKIP() << "needs both compilers";
  for (const char* kernel : kKernels)
    for (const char* style : {"pointer", "index"}) {
      const std::string words = std::string(kernel) + " --size 96 --style " + style;
      const ProgramRun gcc = run_program("workloads/bops-workload-gcc-counted", words);
      const ProgramRun clang = run_program("workloads/bops-workload-clang-counted", words);
      EXPECT_EQ(gcc.exit_code, 0) << kernel;
      EXPECT_EQ(gcc.output, clang.output) << kernel;
      // Every kernel compares, be it for a loop or for itself.
      EXPECT_GT(number_after(gcc.output, "\ncompare ") + number_after(gcc.output, "loop_compare "),
                0U)
          << kernel;
    }
}

TEST(Programs, the_counts_of_the_program_are_those_of_the_measured_compilers) {
  const ProgramRun program = run_program("bops-workload", "count quicksort_hoare --size 96 --json");
  ASSERT_EQ(program.exit_code, 0) << program.output;
  const ProgramRun gcc =
      run_program("workloads/bops-workload-gcc-counted", "quicksort_hoare --size 96");
  EXPECT_EQ(number_after(program.output, "\"compare\":"), number_after(gcc.output, "\ncompare "));
}

TEST(Programs, twice_the_elements_is_twice_the_printed_count) {
  const std::string words = "count stream --json --style index --size ";
  const std::uint64_t once =
      number_after(run_program("bops-workload", words + "1000").output, "\"subscript_1d\":");
  EXPECT_GT(once, 0U);
  EXPECT_EQ(number_after(run_program("bops-workload", words + "2000").output, "\"subscript_1d\":"),
            2 * once);
}

TEST(Programs, unknown_names_are_refused_with_what_there_is) {
  for (const char* command : {"run", "count"}) {
    const ProgramRun run = run_program("bops-workload", std::string(command) + " bubble_sort");
    EXPECT_EQ(run.exit_code, 2) << command;
    EXPECT_NE(run.output.find("quicksort_lomuto"), std::string::npos) << run.output;
  }
  const ProgramRun build = run_program("bops-workload", "run stream --build icc-O2");
  EXPECT_EQ(build.exit_code, 2);
  EXPECT_NE(build.output.find("gcc-reference"), std::string::npos) << build.output;
}

TEST(Programs, bad_sizes_and_options_are_refused) {
  for (const char* words :
       {"run stream --size 0", "run stream --size ten", "run matmul_blocked --size 33",
        "run stream --distribution sorted", "run stream --threads 0", "count stream --style goto",
        "run quicksort_hole --distribution equal --size 1000000", "", "run"})
    EXPECT_EQ(run_program("bops-workload", words).exit_code, 2) << words;
  for (const char* words : {"stream --size", "stream --size 1x", "stream --sise 1", "bubble", ""})
    EXPECT_EQ(run_program("workloads/bops-workload-gcc-reference", words).exit_code, 2) << words;
}

}  // namespace
}  // namespace bops::workloads
