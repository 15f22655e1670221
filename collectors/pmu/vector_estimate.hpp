// How many operations the counts of `--vector` stand for.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "collectors/pmu/event_table.hpp"
#include "model/operations_estimate.hpp"

namespace bops::pmu {

using VectorShare = EstimatedShare;
using VectorEstimate = OperationsEstimate;

/// `counts` in the order of set.vector_events; absent: not counted. Fails if one is absent, or if
/// the CPU has no such events (EventSet::vector_note): a sum without a part of it is no estimate.
[[nodiscard]] Result<VectorEstimate> vector_estimate(
    const EventSet& set, const std::vector<std::optional<std::uint64_t>>& counts);

}  // namespace bops::pmu
