// How many operations the counts of `--vector` stand for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "collectors/pmu/event_table.hpp"

namespace bops::pmu {

/// One event's part of the estimate.
struct VectorShare {
  std::string event;    ///< libpfm4's name, or "r" and the raw code
  std::string meaning;  ///< VectorEvent::meaning
  double operations_each = 0;
  std::uint64_t count = 0;
  std::uint64_t operations = 0;  ///< count times operations_each, rounded
};

/// Floating-point and vector operations by the formulas of the event file. An estimate: lanes that
/// a mask leaves out are counted, and where the width of the elements is not counted it is assumed
/// (VectorShare::meaning says so). It covers what the events cover, and is no replacement for the
/// formula's count of all instructions.
struct VectorEstimate {
  std::uint64_t operations_estimate = 0;
  std::vector<VectorShare> events;  ///< in the order of EventSet::vector_events
};

/// `counts` in the order of set.vector_events; absent: not counted. Fails if one is absent, or if
/// the CPU has no such events (EventSet::vector_note): a sum without a part of it is no estimate.
[[nodiscard]] Result<VectorEstimate> vector_estimate(
    const EventSet& set, const std::vector<std::optional<std::uint64_t>>& counts);

/// The estimates of a hybrid's kinds of core are summed; equal events are one.
VectorEstimate& operator+=(VectorEstimate& sum, const VectorEstimate& other);

}  // namespace bops::pmu
