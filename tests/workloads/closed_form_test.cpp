#include <gtest/gtest.h>

#include "workloads/kernel_table.hpp"
#include "workloads/problem.hpp"
#include "workloads/runner/count_kernel.hpp"

namespace bops::workloads {
namespace {

constexpr Style kStyles[] = {Style::kPointer, Style::kIndex};

CountOutcome count(std::string_view name, Style style, const Problem& problem,
                   std::int64_t threads = 1, std::int64_t repeats = 1) {
  const std::vector<Kernel> table = kernel_table();
  return count_kernel(*find_kernel(table, name), style, problem, threads, repeats);
}

std::uint64_t source_total(std::string_view name, Style style, std::int64_t size) {
  return source_operations(count(name, style, {.size = size}).tallies).total();
}

/// A size that every kernel takes.
std::int64_t small_size(const Kernel& kernel) {
  return kernel.size_multiple > 1 ? kernel.size_multiple : 32;
}

TEST(ClosedForm, stream_is_18_operations_per_element_with_pointers_and_22_with_subscripts) {
  for (const std::int64_t n : {1, 7, 1000}) {
    const auto elements = static_cast<std::uint64_t>(n);
    // Each of the four loops has one test more than it has elements.
    EXPECT_EQ(source_total("stream", Style::kPointer, n), 18 * elements + 4);
    EXPECT_EQ(source_total("stream", Style::kIndex, n), 22 * elements + 4);
  }
}

TEST(ClosedForm, matmul_is_10_operations_per_inner_step_with_subscripts) {
  for (const std::int64_t size : {1, 5, 24}) {
    const auto n = static_cast<std::uint64_t>(size);
    const Tallies tallies = count("matmul", Style::kIndex, {.size = size}).tallies;
    EXPECT_EQ(tallies[Category::kFloatingPoint], 2 * n * n * n);
    EXPECT_EQ(tallies[Category::kSubscript2d], 3 * n * n * n);
    // Each loop has a test more than steps: around the inner steps, n^2 + n + 1 loops are run.
    const std::uint64_t steps = n * n * n + n * n + n;
    EXPECT_EQ(tallies[Category::kLoopStep], steps);
    EXPECT_EQ(tallies[Category::kLoopCompare], steps + n * n + n + 1);
  }
}

TEST(ClosedForm, both_matrix_products_do_the_same_floating_point_work) {
  for (const Style style : kStyles)
    EXPECT_EQ(count("matmul", style, {.size = 64}).tallies[Category::kFloatingPoint],
              count("matmul_blocked", style, {.size = 64}).tallies[Category::kFloatingPoint]);
}

TEST(ClosedForm, every_declared_form_is_what_the_kernel_counts) {
  int forms = 0;
  for (const Kernel& kernel : kernel_table()) {
    if (kernel.expected == nullptr) continue;
    ++forms;
    for (const Style style : kStyles)
      for (const std::int64_t factor : {1, 2, 3}) {
        const std::int64_t size = factor * small_size(kernel);
        EXPECT_EQ(count_kernel(kernel, style, {.size = size}, 1, 1).tallies,
                  kernel.expected(style, size))
            << kernel.name << ' ' << to_string(style) << ' ' << size;
      }
  }
  EXPECT_GE(forms, 3);
}

TEST(Counting, twice_the_repeats_or_threads_is_twice_the_count) {
  for (const Kernel& kernel : kernel_table())
    for (const Style style : kStyles) {
      const Problem problem{.size = small_size(kernel), .seed = 3};
      const Tallies once = count_kernel(kernel, style, problem, 1, 1).tallies;
      EXPECT_GT(source_operations(once).total(), 0U) << kernel.name;
      EXPECT_EQ(count_kernel(kernel, style, problem, 1, 2).tallies, once.times(2)) << kernel.name;
      EXPECT_EQ(count_kernel(kernel, style, problem, 2, 1).tallies, once.times(2)) << kernel.name;
    }
}

TEST(Counting, sorting_depends_on_the_seed_and_on_the_distribution) {
  const Problem problem{.size = 500, .seed = 1};
  const Problem other_seed{.size = 500, .seed = 2};
  const Problem sorted{.size = 500, .seed = 1, .distribution = Distribution::kSorted};
  const Tallies tallies = count("quicksort_lomuto", Style::kPointer, problem).tallies;
  EXPECT_NE(count("quicksort_lomuto", Style::kPointer, other_seed).tallies, tallies);
  // Sorted keys make Lomuto's partition quadratic: more than n^2 / 2 comparisons of keys.
  const Tallies quadratic = count("quicksort_lomuto", Style::kPointer, sorted).tallies;
  EXPECT_GT(quadratic[Category::kCompare], 500U * 499U / 2);
  EXPECT_LT(tallies[Category::kCompare], 500U * 499U / 8);
}

}  // namespace
}  // namespace bops::workloads
