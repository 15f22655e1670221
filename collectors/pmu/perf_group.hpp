// A group of events on one thread, as perf_event_open(2) has it.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "collectors/pmu/event_table.hpp"
#include "collectors/pmu/thread_counters.hpp"
#include "platform/unique_fd.hpp"

namespace bops::pmu {

/// How the events of a group sample, in their order.
struct SampleManner {
  static constexpr std::size_t kMostEvents = 8;
  std::uint64_t period = 0;
  std::array<std::uint8_t, kMostEvents> precise{};  ///< perf_event_attr::precise_ip
  bool build_ids = false;                           ///< mappings come with them (Linux 5.12)
  /// Samples that were lost are in what is read (Linux 6.0). Of the records that tell of them, the
  /// last one does not come if nothing was sampled after it.
  bool reads_lost = false;
};

/// How a group is opened.
struct GroupManner {
  pid_t tid = 0;
  Start start = Start::kAtOnce;  ///< kAtOnce: by PerfGroup::enable(), the others by themselves
  bool inherit = false;          ///< children and threads are counted in the same events
  bool with_kernel = false;
  bool pinned = false;                    ///< on the counters all the time, or lost
  const SampleManner* samples = nullptr;  ///< null: they do not sample
};

class PerfGroup {
 public:
  static constexpr std::size_t kMostEvents = SampleManner::kMostEvents;

  /// Times in nanoseconds: how long the thread ran with the group enabled, and how long the group
  /// was on the counters meanwhile.
  struct Values {
    std::uint64_t enabled_ns = 0;
    std::uint64_t running_ns = 0;
    std::array<std::uint64_t, kMostEvents> counts{};  ///< in the order of the events
    std::uint64_t lost_samples = 0;                   ///< of all of them
  };

  /// Opens the events, the first one as the leader: 0, or the errno of what failed, and then
  /// nothing is open. At most kMostEvents.
  [[nodiscard]] int open(std::span<const Event* const> events, const GroupManner& manner);
  void enable() const;
  /// Nothing if the group is pinned and could not be put on the counters. The thread may have
  /// ended.
  [[nodiscard]] std::optional<Values> read() const;
  [[nodiscard]] int leader() const { return events_.front().get(); }
  /// Of the events, the leader's first.
  [[nodiscard]] std::vector<int> descriptors() const;
  void stop() const;
  /// All events leave their samples in the buffer of the leader: 0, or an errno.
  [[nodiscard]] int sample_into_leader() const;
  /// The kernel's number of an event, which its samples bear.
  [[nodiscard]] std::uint64_t number_of(std::size_t event) const;

 private:
  [[nodiscard]] std::optional<Values> read_whole() const;
  [[nodiscard]] std::optional<Values> read_each() const;

  std::vector<UniqueFd> events_;  // the leader first
  bool inherit_ = false;
  bool reads_lost_ = false;
};

}  // namespace bops::pmu
