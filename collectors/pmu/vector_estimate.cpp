#include "collectors/pmu/vector_estimate.hpp"

#include <array>
#include <cmath>
#include <cstdio>

namespace bops::pmu {
namespace {

std::string name_of(const Event& event) {
  if (!event.name.empty()) return event.name;
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "r%llx", static_cast<unsigned long long>(event.config));
  return text.data();
}

/// Exact for whole numbers of operations, which nearly all formulas have, also beyond 2^53.
std::uint64_t times(std::uint64_t count, double each) {
  const double whole = std::floor(each);
  const double fraction = each - whole;
  return count * static_cast<std::uint64_t>(whole) +
         static_cast<std::uint64_t>(std::llround(static_cast<double>(count) * fraction));
}

}  // namespace

Result<VectorEstimate> vector_estimate(const EventSet& set,
                                       const std::vector<std::optional<std::uint64_t>>& counts) {
  if (set.vector_events.empty())
    return failure(
        "vector work cannot be estimated on this CPU (" + set.table + "): " + set.vector_note,
        "count operations exactly with --collector native");
  VectorEstimate estimate;
  for (std::size_t index = 0; index < set.vector_events.size(); ++index) {
    const VectorEvent& vector = set.vector_events[index];
    const std::string name = name_of(vector.event);
    if (index >= counts.size() || !counts[index])
      return failure("vector work cannot be estimated: " + name + " was not counted");
    const std::uint64_t operations = times(*counts[index], vector.operations);
    estimate.operations_estimate += operations;
    estimate.events.push_back(
        {name, vector.meaning, vector.operations, *counts[index], operations});
  }
  return estimate;
}

}  // namespace bops::pmu
