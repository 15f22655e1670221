// The samples of events, as the rules have them.
#pragma once

#include <linux/perf_event.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>

#include "tests/doubles/pmu/process_code.hpp"
#include "tests/doubles/pmu/rules.hpp"
#include "tests/doubles/pmu/sample_ring.hpp"

namespace bops::pmu_double {

using Id = std::uint64_t;  // the kernel's number of an event, the same for all its descriptors

constexpr std::uint64_t kFormatLost = 1U << 4U;  // PERF_FORMAT_LOST, Linux 6.0

/// Not safe for several threads at once, but for has_rings().
class Sampling {
 public:
  /// The negative errno of what the rules, or the double, do not have; 0.
  [[nodiscard]] static long refuse(const perf_event_attr& attributes, const Rules& rules);
  void open(Id id, const perf_event_attr& attributes, pid_t tid);
  void close(Id id) { events_.erase(id); }
  /// The memory of a ring, or a negative errno. Nothing for events that do not sample, and for
  /// mappings that cannot be written to, whose old records the kernel writes over.
  std::optional<long> map(int fd, Id id, std::size_t bytes, bool writable, const Rules& rules);
  /// Whether it was a ring.
  bool unmap(void* memory, std::size_t bytes);
  [[nodiscard]] bool has_rings() const { return rings_mapped_ > 0; }
  /// The event leaves its samples in the ring of another one; 0: in none.
  void set_output(Id id, Id other);

  /// Puts into the rings what the rules have for an event of this name and what is not in them yet.
  void deliver(const Rules& rules, Id id, const std::string& name, const Subject& subject);
  /// The kernel's records of a leader's ring.
  void relay(Id id);
  /// Samples that found no room, in all.
  [[nodiscard]] std::uint64_t lost(Id id) const;

 private:
  struct Event {
    std::uint64_t period = 0;
    std::uint64_t fields = 0;  ///< sample_type
    bool precise = false;
    pid_t tid = 0, pid = 0;
    Id output = 0;
    std::uint64_t lost = 0;
    std::set<std::string> delivered;  ///< lines of the rules
  };
  SampleRing* ring_of(const Event& event);

  std::unordered_map<Id, Event> events_;
  std::map<Id, std::unique_ptr<SampleRing>> rings_;
  std::atomic<std::size_t> rings_mapped_ = 0;
  ProcessCode code_;
};

}  // namespace bops::pmu_double
