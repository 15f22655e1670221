// Counters of single threads: opened when a thread comes, read while it is stopped or runs or has
// ended, closed.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "model/error.hpp"
#include "model/instruction_counts.hpp"

namespace bops::pmu {

/// What the counters of one thread have counted since they were opened.
struct Reading {
  enum class State : std::uint8_t {
    kWhole,           ///< counted all the time
    kScaled,          ///< counted part of the time and extrapolated: `share` of it
    kNeverScheduled,  ///< the thread ran, but its counters never did: the counts mean nothing
    kLost,            ///< taken away by someone else meanwhile: the counts mean nothing
  };
  InstructionCounts counts;
  std::optional<std::uint64_t> cycles;
  State state = State::kWhole;
  double share = 1;  ///< of the time that the thread ran, in which it was counted

  [[nodiscard]] bool means_something() const {
    return state == State::kWhole || state == State::kScaled;
  }
};

class SharedGroups;

/// The open counters of one thread; the destructor closes them.
class OpenCounters {
 public:
  OpenCounters() = default;
  OpenCounters(const OpenCounters&) = delete;
  OpenCounters& operator=(const OpenCounters&) = delete;
  virtual ~OpenCounters() = default;

  /// The thread may be stopped, or have ended; running only where
  /// ThreadCounters::reads_running_threads().
  [[nodiscard]] virtual Result<Reading> read() = 0;
  /// Whether read() tells just as much once the thread has ended.
  [[nodiscard]] virtual bool can_be_read_after_its_end() const { return false; }
  /// ThreadCounts::via
  [[nodiscard]] virtual std::string_view via() const = 0;
  /// For a thread that reads them itself; null: it cannot.
  [[nodiscard]] virtual const SharedGroups* shared() const { return nullptr; }
};

enum class Start : std::uint8_t {
  kAtOnce,   ///< all counters together, whatever the thread does
  kStopped,  ///< at once; the thread is stopped, which saves a call
  kOnExec,   ///< with the thread's next execve(2)
};

class ThreadCounters {
 public:
  ThreadCounters() = default;
  ThreadCounters(const ThreadCounters&) = delete;
  ThreadCounters& operator=(const ThreadCounters&) = delete;
  virtual ~ThreadCounters() = default;

  /// Fails for the reason that the kernel gave, in words without the thread's id. A thread that has
  /// ended meanwhile is no failure: null.
  [[nodiscard]] virtual Result<std::unique_ptr<OpenCounters>> open(pid_t tid, Start start) = 0;
  /// As open(), for a thread that is to read them itself (OpenCounters::shared()) if that can be
  /// had.
  [[nodiscard]] virtual Result<std::unique_ptr<OpenCounters>> open_shared(pid_t tid, Start start) {
    return open(tid, start);
  }
  [[nodiscard]] virtual bool starts_on_exec() const = 0;
  [[nodiscard]] virtual bool reads_running_threads() const = 0;
};

}  // namespace bops::pmu
