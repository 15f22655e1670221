// Event sets for tests on the PMU double, with the codes that PmuDouble::skylake_events() names.
#pragma once

#include <linux/perf_event.h>

#include "collectors/pmu/event_table.hpp"

namespace bops::pmu {

constexpr std::uint32_t kSecondPmu = 10;  ///< type of another PMU, which the rules must name

inline Event raw(std::uint64_t config, std::uint32_t counters = 1,
                 std::uint32_t type = PERF_TYPE_RAW) {
  Event event;
  event.type = type;
  event.config = config;
  event.counters = counters;
  return event;
}

/// One group, as Skylake has it, without cycles; on a hybrid CPU the other kind of core's.
inline EventSet skylake(std::uint32_t type = PERF_TYPE_RAW) {
  EventSet set;
  set.table = "skylake";
  set.pmu = type == PERF_TYPE_RAW ? "cpu" : "cpu_atom";
  set.instructions = raw(0xc0, 0, type);
  set.loads = raw(0x81d0, 1, type);
  set.stores = raw(0x82d0, 1, type);
  set.branches = raw(0xc4, 1, type);
  set.groups = {{Role::kInstructions, Role::kLoads, Role::kStores, Role::kBranches}};
  set.general_counters = 8;
  return set;
}

/// Instructions, loads and stores in turn with instructions and branches.
inline EventSet skylake_in_turns() {
  EventSet set = skylake();
  set.groups = {{Role::kInstructions, Role::kLoads, Role::kStores},
                {Role::kInstructions, Role::kBranches}};
  return set;
}

}  // namespace bops::pmu
