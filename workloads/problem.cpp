#include "workloads/problem.hpp"

#include <cstddef>

namespace bops::workloads {
namespace {

std::string allowed_sizes(const Kernel& kernel) {
  std::string text = "choose --size from " + std::to_string(kernel.minimum_size) + " to " +
                     std::to_string(kernel.maximum_size);
  if (kernel.size_multiple > 1) text += ", a multiple of " + std::to_string(kernel.size_multiple);
  return text;
}

}  // namespace

std::string_view to_string(Distribution distribution) {
  return kDistributionNames[static_cast<std::size_t>(distribution)];
}

std::optional<Distribution> parse_distribution(std::string_view name) {
  for (std::size_t i = 0; i < kDistributionNames.size(); ++i)
    if (kDistributionNames[i] == name) return static_cast<Distribution>(i);
  return std::nullopt;
}

std::string_view to_string(Style style) {
  return style == Style::kPointer ? "pointer" : "index";
}

std::optional<Style> parse_style(std::string_view name) {
  if (name == "pointer") return Style::kPointer;
  if (name == "index") return Style::kIndex;
  return std::nullopt;
}

const Kernel* find_kernel(const std::vector<Kernel>& table, std::string_view name) {
  for (const Kernel& kernel : table)
    if (kernel.name == name) return &kernel;
  return nullptr;
}

std::string unknown_kernel(const std::vector<Kernel>& table, std::string_view name) {
  std::string text = "there is no kernel \"" + std::string(name) + "\"; choose one of:";
  for (const Kernel& kernel : table) text += " " + std::string(kernel.name);
  return text;
}

std::string refusal(const Kernel& kernel, const Problem& problem) {
  const std::string name(kernel.name);
  if (problem.size < kernel.minimum_size || problem.size > kernel.maximum_size ||
      problem.size % kernel.size_multiple != 0)
    return name + " cannot have size " + std::to_string(problem.size) + "; " +
           allowed_sizes(kernel);
  if (problem.distribution == Distribution::kUniform) return {};
  const std::string distribution(to_string(problem.distribution));
  if (kernel.maximum_skewed_size == 0)
    return name + " has no keys to distribute; leave --distribution out";
  if (problem.distribution == Distribution::kBell) return {};  // in random order, hardly any equal
  if (problem.size > kernel.maximum_skewed_size)
    return name + " may recurse as deep as it has keys with --distribution " + distribution +
           "; choose --size up to " + std::to_string(kernel.maximum_skewed_size);
  return {};
}

}  // namespace bops::workloads
