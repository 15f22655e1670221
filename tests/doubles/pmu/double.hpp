// The state of the PMU double: the hardware events that are open, and what they read.
#pragma once

#include <linux/perf_event.h>
#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "tests/doubles/pmu/counter_pages.hpp"
#include "tests/doubles/pmu/rules.hpp"
#include "tests/doubles/pmu/sampling.hpp"
#include "tests/doubles/pmu/thread_name.hpp"

namespace bops::pmu_double {

/// The file of the rules; null: all events go to the kernel.
[[nodiscard]] const char* rules_path();

/// What an event was opened as. Appended to a file beside the rules, for processes that get its
/// descriptor by exec, fork or a socket.
struct Opening {
  Id id = 0;
  Id leader = 0;
  Code code;
  std::uint64_t read_format = 0;  ///< what was asked for
  pid_t tid = 0;
  bool counts_kernel = false;
  bool pinned = false;
  bool samples = false;
};

struct OpenEvent : Opening {
  std::uint64_t base = 0;  ///< value at the last reset
  std::shared_ptr<ThreadName> name;
  int descriptors = 1;  ///< of this process
};

// The lock is not held while asking what a descriptor is: files are read, and closed, under it.
class Double {
 public:
  long open(const perf_event_attr* attributes, pid_t pid, int cpu, int group, unsigned long flags);
  /// Nothing where the descriptor is not one of ours.
  std::optional<long> read(int fd, void* buffer, std::size_t size);
  void reset(int fd, bool group);
  /// A descriptor is there besides another, or is about to go.
  void duplicated(int fd);
  void closing(int fd);
  /// The address of a ring for samples, or of a page for rdpmc, or a negative errno; nothing where
  /// it is not for us.
  std::optional<long> map(int fd, std::size_t size, bool writable);
  /// Whether it was one of these.
  bool unmap(void* memory, std::size_t size);
  /// What rdpmc gives; nothing if there is no such counter.
  std::optional<std::uint64_t> read_counter(std::uint32_t counter);
  void set_output(int fd, int other);

 private:
  void update_rules();
  void publish(const Opening& opening) const;
  void take_published();
  long refuse(const perf_event_attr& attributes, Code code, int group);
  bool fits(const OpenEvent& leader, Id leader_id, Code code) const;
  bool never_fits(Id leader_id) const;
  [[nodiscard]] std::vector<Code> group_codes(Id leader_id) const;
  [[nodiscard]] Subject subject_of(const OpenEvent& event, std::uint64_t running_ns) const;
  std::uint64_t value_of(const OpenEvent& event, std::uint64_t running_ns) const;
  void sample(const OpenEvent& event, std::uint64_t running_ns);
  std::optional<long> map_counter(int fd, OpenEvent& event);
  OpenEvent* find(Id id);
  OpenEvent* find_published(Id id);

  std::mutex mutex_;
  std::string rules_stamp_;
  Rules rules_;
  std::unordered_map<Id, OpenEvent> events_;
  std::unordered_map<Id, std::vector<Id>> groups_;  ///< members of a leader, itself first
  Sampling sampling_;
  CounterPages counter_pages_;
  std::uint64_t opened_ = 0;
  std::uint64_t published_read_ = 0;  ///< bytes of the file that were taken in
};

}  // namespace bops::pmu_double
