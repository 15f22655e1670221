// From the readings of a thread's groups to its counts.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "collectors/pmu/event_table.hpp"
#include "collectors/pmu/thread_counters.hpp"

namespace bops::pmu {

/// One group as it was read. Times in nanoseconds: how long the thread ran with the group enabled,
/// and how long the group was on the counters meanwhile.
struct GroupReading {
  std::size_t set = 0;  ///< index into the event sets
  const std::vector<Role>* roles = nullptr;
  std::uint64_t enabled_ns = 0;
  std::uint64_t running_ns = 0;
  std::array<std::uint64_t, 5> values{};  ///< in the order of the roles
};

/// Whether a group that was on the counters for `running_ns` missed nothing that can be told.
[[nodiscard]] bool ran_all_the_time(std::uint64_t enabled_ns, std::uint64_t running_ns);

/// Groups of one set that take turns are each scaled by their own times. Of several sets (hybrid
/// CPUs), each runs on its own kind of core only: no set's counts are scaled by its times alone,
/// but their sum by the time that none of them ran.
[[nodiscard]] Reading sum_groups(const std::vector<EventSet>& sets,
                                 std::span<const GroupReading> groups);

}  // namespace bops::pmu
