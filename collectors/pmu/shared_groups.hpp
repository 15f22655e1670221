// Counters that a thread reads itself, for its regions.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "collectors/pmu/thread_counters.hpp"
#include "collectors/region/region_area.h"

namespace bops::pmu {

/// The groups of a thread's counters as region_area.h has them: words of a group are the times that
/// it was enabled and running, in nanoseconds, and its values.
class SharedGroups {
 public:
  SharedGroups() = default;
  SharedGroups(const SharedGroups&) = delete;
  SharedGroups& operator=(const SharedGroups&) = delete;
  virtual ~SharedGroups() = default;

  struct Group {
    std::vector<int> events;  ///< descriptors, the leader's first, in the order of the values
    std::uint32_t words;
  };
  /// None where there are more of them, or more words, than a thread's area has room for.
  [[nodiscard]] virtual std::vector<Group> groups() const = 0;
  /// What they show now; nothing if one of them cannot be read.
  [[nodiscard]] virtual std::optional<bops_region_values> read_words() const = 0;
  /// What a part of their words means.
  [[nodiscard]] virtual Reading reading_of(const bops_region_values& words) const = 0;
  /// They count no more, whoever still has their descriptors.
  virtual void stop() const = 0;
};

}  // namespace bops::pmu
