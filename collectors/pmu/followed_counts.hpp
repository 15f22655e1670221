// From the events of threads to the rows of a run.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "collectors/pmu/thread_counters.hpp"
#include "collectors/pmu/thread_regions.hpp"
#include "model/collector.hpp"

namespace bops::pmu {

/// Opens counters for each thread that comes, reads them when it goes, and keeps the rows. An
/// execve(2) ends the rows of the old image and starts new ones. What could not be counted has a
/// row without counts, and is told in a warning with its reason.
class FollowedCounts {
 public:
  /// `start_ns`: CLOCK_MONOTONIC at the start of the run.
  FollowedCounts(ThreadCounters& counters, std::uint64_t start_ns)
      : counters_(counters), start_ns_(start_ns) {}

  /// The root of a run, before its execve(2). Fails if its counters cannot be opened.
  [[nodiscard]] Result<void> hold_root(pid_t pid);
  void on_event(const ThreadEvent& event);
  /// Collector::wants_exit_stop()
  [[nodiscard]] bool wants_exit_stop(pid_t tid) const;

  /// A thread of the target asks for its counters, to read them itself (region_area.h).
  [[nodiscard]] RegionGrant grant_regions(pid_t pid, pid_t tid);
  /// Nothing is counted from now on: counters that threads of the target have are stopped.
  void leave();

  /// What is counted so far, or in all. The quality says only what happened to the counters: exact,
  /// scaled, partial or missing; nothing is said of units.
  [[nodiscard]] RunCounts counts();

 private:
  struct Live {
    ThreadCounts row;
    std::size_t process = 0;  ///< index into processes_
    std::unique_ptr<OpenCounters> counters;
    Reading base;                            ///< at the start of the row
    Reading last;                            ///< the highest that was read, less `base`
    std::unique_ptr<ThreadRegions> regions;  ///< null: it has none
    std::string refusal;                     ///< the reason in uncounted_; empty: none
  };
  /// What is known of a program before it runs.
  struct Program {
    bool traces = false;         ///< may trace others
    bool names_regions = false;  ///< has the region library in it, or takes it from elsewhere
  };
  /// Of regions: how many threads' were not counted, by reason.
  struct RegionRows {
    std::vector<RegionCounts> rows;
    std::map<std::string, std::uint64_t> not_counted;
    bool refused = false;
  };
  struct Reasons {
    std::uint64_t threads = 0;
    std::string remedy;
  };

  void start(pid_t pid, pid_t tid);
  void execute(pid_t pid, pid_t former_tid);
  void exit(const ThreadEvent& event);
  void fork(pid_t child, pid_t maker);
  void open(Live& live, Start start);
  [[nodiscard]] std::optional<Error> read(Live& live);
  void finish(Live& live, std::uint64_t now_ns);
  void name_by_program(Live& live) const;
  void leave_uncounted(Live& live, const Error& reason);
  void has_executed_nothing(Live& live);
  static void add_reason(std::map<std::string, Reasons>& reasons, const Error& reason);
  void warn_once(std::string code, std::string message);
  void look_at_program(pid_t pid, const ProcessCounts& process);
  [[nodiscard]] const Program& program(pid_t pid, const std::string& path);
  void add_regions(const Live& live, ThreadCounts& row, RegionRows& regions) const;
  void warn_of_regions(const RegionRows& regions, RunCounts& run) const;
  [[nodiscard]] std::size_t new_process(pid_t pid, std::uint64_t now_ns);
  [[nodiscard]] std::size_t process_of(pid_t pid, pid_t tid, std::uint64_t now_ns);
  [[nodiscard]] std::uint64_t now() const;
  [[nodiscard]] bool is_waiting_root(const Live& live) const;

  ThreadCounters& counters_;
  std::uint64_t start_ns_;
  Start start_of_threads_ = Start::kAtOnce;  ///< new threads of a run are stopped
  /// Counters of threads on their way out: closing them is cheaper once these have ended.
  std::vector<std::unique_ptr<OpenCounters>> closing_;
  bool has_root_ = false;                  ///< false: attached to what ran already
  pid_t waiting_root_ = 0;                 ///< the root, until it has executed its program
  std::unordered_map<pid_t, Live> live_;   // by thread id
  std::vector<ProcessCounts> processes_;   // counts are summed up in counts()
  std::vector<std::size_t> live_threads_;  ///< of each process
  std::unordered_map<pid_t, std::size_t> current_process_;  // by process id
  std::vector<ThreadCounts> finished_;
  std::vector<std::size_t> process_of_finished_;
  std::optional<std::uint64_t> finished_cycles_ = 0;
  std::map<std::string, Reasons> uncounted_;  // by reason
  std::uint64_t scaled_threads_ = 0;
  double least_share_ = 1;
  std::vector<Warning> warnings_;
  std::unordered_map<std::string, Program> programs_;  ///< by executable
  std::unordered_map<pid_t, RegionState> inherited_;   ///< by process that has not started yet
  RegionRows finished_regions_;
  std::unordered_set<pid_t> processes_that_asked_;  ///< for their counters
};

}  // namespace bops::pmu
