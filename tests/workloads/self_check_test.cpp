#include <gtest/gtest.h>

#include <cstddef>
#include <utility>

#include "workloads/kernel_table.hpp"
#include "workloads/problem.hpp"

namespace bops::workloads {
namespace {

constexpr Style kStyles[] = {Style::kPointer, Style::kIndex};

std::int64_t small_size(const Kernel& kernel) {
  return kernel.size_multiple > 1 ? kernel.size_multiple : 32;
}

/// Flips the highest bits (sign and exponent, or the largest digits) of one element.
void damage(const ResultMemory& result, std::size_t element) {
  std::byte& high = result.data[(element + 1) * result.element_bytes - 1];
  high ^= std::byte{0x41};
}

TEST(SelfCheck, passes_with_every_distribution_that_the_kernel_takes) {
  for (const Kernel& kernel : kernel_table())
    for (const Style style : kStyles)
      for (std::size_t i = 0; i < kDistributionNames.size(); ++i) {
        const Problem problem{
            .size = small_size(kernel), .seed = 5, .distribution = static_cast<Distribution>(i)};
        if (!refusal(kernel, problem).empty()) continue;
        const auto instance = kernel.make(style, problem);
        for (int round = 0; round < 2; ++round) {
          instance->restore();
          instance->run();
          EXPECT_TRUE(instance->check()) << kernel.name << ' ' << kDistributionNames[i];
        }
      }
}

TEST(SelfCheck, notices_damage_to_any_element_of_the_result) {
  for (const Kernel& kernel : kernel_table())
    for (const Style style : kStyles) {
      const auto instance = kernel.make(style, {.size = small_size(kernel)});
      instance->restore();
      instance->run();
      const ResultMemory result = instance->result();
      for (std::size_t element = 0; element < result.elements; ++element) {
        damage(result, element);
        EXPECT_FALSE(instance->check()) << kernel.name << ", element " << element;
        damage(result, element);
      }
      EXPECT_TRUE(instance->check()) << kernel.name << ", damage undone";
    }
}

TEST(SelfCheck, notices_that_the_kernel_never_ran) {
  for (const Kernel& kernel : kernel_table())
    for (const Style style : kStyles) {
      const auto instance = kernel.make(style, {.size = small_size(kernel)});
      instance->restore();
      EXPECT_FALSE(instance->check()) << kernel.name;
    }
}

TEST(SelfCheck, notices_a_sorted_array_that_lost_a_key) {
  for (const Kernel& kernel : kernel_table()) {
    if (kernel.name.find("sort") == std::string_view::npos) continue;
    const auto instance = kernel.make(Style::kPointer, {.size = 32});
    instance->restore();
    instance->run();
    const ResultMemory result = instance->result();
    // Two neighbours alike: still in order, but one key is there twice and one is gone.
    for (std::size_t byte = 0; byte < result.element_bytes; ++byte)
      result.data[byte] = result.data[result.element_bytes + byte];
    EXPECT_FALSE(instance->check()) << kernel.name;
  }
}

}  // namespace
}  // namespace bops::workloads
