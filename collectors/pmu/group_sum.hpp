// From the readings of a thread's groups to its counts.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
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

/// Of the time that a thread ran, the share in which groups of its events were on the counters.
/// Groups are enabled and read one after another, so each is held against its own times. Those of
/// one set must all have run; of several sets (hybrid CPUs) one runs at a time.
class CountedShare {
 public:
  explicit CountedShare(std::size_t sets) : least_(sets) {}
  void add(std::size_t set, std::uint64_t enabled_ns, std::uint64_t running_ns);
  /// 1 for a thread that has not run.
  [[nodiscard]] double of_the_time() const;
  /// Whether nothing was missed that can be told.
  [[nodiscard]] bool is_whole() const;

 private:
  std::vector<std::optional<double>> least_;  ///< of each set's groups
};

/// Groups of one set that take turns are each scaled by their own times. Of several sets (hybrid
/// CPUs), each runs on its own kind of core only: no set's counts are scaled by its times alone,
/// but their sum by the time that none of them ran.
[[nodiscard]] Reading sum_groups(const std::vector<EventSet>& sets,
                                 std::span<const GroupReading> groups);

}  // namespace bops::pmu
