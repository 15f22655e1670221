// Which vector events are counted in a run, and whether the counters have room for them.
#pragma once

#include <cstddef>
#include <vector>

#include "collectors/pmu/event_table.hpp"
#include "model/collector.hpp"

namespace bops::pmu {

/// A group of vector events of one kind of core.
struct VectorGroup {
  std::size_t set = 0;              ///< index into the event sets
  std::vector<std::size_t> events;  ///< indices into EventSet::vector_events
};

struct VectorPlan {
  std::vector<VectorGroup> groups;
  /// They have room only if cycles are not counted with the formula's events.
  bool without_cycles = false;
};

/// What VectorCounting::kBeside counts: all groups of all sets, each for as long as its thread
/// runs. Refused where the counters lack the room: nothing takes turns with the formula's events.
/// `watchdog`: an NMI watchdog holds one of the counters.
[[nodiscard]] Result<VectorPlan> vector_beside(const std::vector<EventSet>& sets, bool watchdog);

/// What the run number `run` of VectorCounting::kAlone counts.
[[nodiscard]] Result<VectorPlan> vector_alone(const std::vector<EventSet>& sets, std::size_t run);

/// Collector::vector_runs()
[[nodiscard]] std::size_t vector_runs(const std::vector<EventSet>& sets);

/// Leaves cycles out of what is counted.
void leave_out_cycles(std::vector<EventSet>& sets);

}  // namespace bops::pmu
