#include "workloads/problem.hpp"

#include <gtest/gtest.h>

#include <set>

#include "workloads/kernel_table.hpp"

namespace bops::workloads {
namespace {

Kernel kernel_named(std::string_view name) {
  const std::vector<Kernel> table = kernel_table();
  return *find_kernel(table, name);
}

TEST(KernelTable, names_are_unique_and_defaults_are_allowed) {
  std::set<std::string_view> names;
  for (const Kernel& kernel : kernel_table()) {
    EXPECT_TRUE(names.insert(kernel.name).second) << kernel.name;
    EXPECT_EQ(refusal(kernel, {.size = kernel.default_size}), "") << kernel.name;
    EXPECT_EQ(refusal(kernel, {.size = kernel.minimum_size}), "") << kernel.name;
  }
}

TEST(KernelTable, an_unknown_name_is_refused_with_the_names_there_are) {
  const std::vector<Kernel> table = kernel_table();
  EXPECT_EQ(find_kernel(table, "quicksort"), nullptr);
  const std::string text = unknown_kernel(table, "quicksort");
  for (const Kernel& kernel : table)
    EXPECT_NE(text.find(kernel.name), std::string::npos) << kernel.name;
}

TEST(Refusal, sizes_outside_the_range_or_off_the_multiple_are_refused) {
  const Kernel blocked = kernel_named("matmul_blocked");
  EXPECT_EQ(refusal(blocked, {.size = 64}), "");
  EXPECT_NE(refusal(blocked, {.size = 65}), "");
  EXPECT_NE(refusal(blocked, {.size = 0}), "");
  EXPECT_NE(refusal(blocked, {.size = blocked.maximum_size + 32}), "");
}

TEST(Refusal, deep_recursion_and_distributions_without_keys_are_refused) {
  const Kernel lomuto = kernel_named("quicksort_lomuto");
  const std::int64_t limit = lomuto.maximum_skewed_size;
  EXPECT_EQ(refusal(lomuto, {.size = limit, .distribution = Distribution::kSorted}), "");
  EXPECT_NE(refusal(lomuto, {.size = limit + 1, .distribution = Distribution::kSorted}), "");
  EXPECT_EQ(refusal(lomuto, {.size = limit + 1}), "");
  EXPECT_NE(refusal(kernel_named("dot"), {.size = 9, .distribution = Distribution::kSorted}), "");
}

TEST(Words, distributions_and_styles_are_read_as_they_are_printed) {
  for (const std::string_view name : kDistributionNames)
    EXPECT_EQ(to_string(parse_distribution(name).value()), name);
  for (const Style style : {Style::kPointer, Style::kIndex})
    EXPECT_EQ(parse_style(to_string(style)), style);
  EXPECT_FALSE(parse_distribution("normal").has_value());
  EXPECT_FALSE(parse_style("").has_value());
}

}  // namespace
}  // namespace bops::workloads
