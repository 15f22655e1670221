// Problems in the words of the command line.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "workloads/kernel.hpp"

namespace bops::workloads {

/// In the order of Distribution.
inline constexpr std::array<std::string_view, 6> kDistributionNames = {
    "uniform", "sorted", "reversed", "few_values", "equal", "bell"};

[[nodiscard]] std::string_view to_string(Distribution distribution);
[[nodiscard]] std::optional<Distribution> parse_distribution(std::string_view name);

[[nodiscard]] std::string_view to_string(Style style);
[[nodiscard]] std::optional<Style> parse_style(std::string_view name);

/// Null if the table has no such kernel.
[[nodiscard]] const Kernel* find_kernel(const std::vector<Kernel>& table, std::string_view name);

/// One sentence on why there is no such kernel and which there are.
[[nodiscard]] std::string unknown_kernel(const std::vector<Kernel>& table, std::string_view name);

/// Why the kernel refuses the problem, with what to do; empty if it does not.
[[nodiscard]] std::string refusal(const Kernel& kernel, const Problem& problem);

}  // namespace bops::workloads
