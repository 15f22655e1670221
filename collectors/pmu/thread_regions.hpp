// The regions of one thread, read with its own counters.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "collectors/pmu/region_area.hpp"
#include "collectors/pmu/thread_counters.hpp"
#include "collectors/region/region_contexts.hpp"

namespace bops::pmu {

/// Whether the program has the region library in it, or takes it from a shared library: as far as
/// its file tells, which says nothing of what it loads as it runs.
[[nodiscard]] bool names_regions(const std::string& program);

/// What a thread gets that asks for its counters (region_area.h).
struct RegionGrant {
  std::uint32_t groups = 0;
  std::vector<int> descriptors;  ///< the area, then the leaders of the groups
};

/// What a thread did in its regions, and said that it did.
struct RegionShare {
  std::vector<RegionContext> contexts;  ///< nested ones not included; of thread 0
  Work work;                            ///< in all of them and outside
  std::string not_counted;              ///< why the contexts have no counts; empty: they have
  bool refused = false;                 ///< there was no room for all regions
};

/// Of one thread while it runs one program. It need not ever ask for its area: a child of fork(2)
/// is in the regions that its maker was in.
class ThreadRegions {
 public:
  ThreadRegions() = default;
  explicit ThreadRegions(RegionState inherited) : inherited_(std::move(inherited)) {}

  /// The same one if it asks again. `counters` may be null.
  [[nodiscard]] Result<RegionGrant> grant(pid_t tid, const OpenCounters* counters);
  /// What a child that the thread makes now is in.
  [[nodiscard]] RegionState open_now() const;
  /// Up to now. `counters` are those of the grant; null, or such as mean nothing: not counted.
  [[nodiscard]] RegionShare share(const OpenCounters* counters) const;
  /// The thread, or its program, has ended, or bops leaves it.
  void end(bops_region_end how);
  [[nodiscard]] bool is_granted() const { return area_ != nullptr; }

 private:
  [[nodiscard]] std::optional<RegionState> state() const;

  RegionState inherited_;
  std::unique_ptr<RegionArea> area_;  ///< null: it has not asked
};

}  // namespace bops::pmu
