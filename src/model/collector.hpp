// The interface behind which all collectors look alike: a collector may change the launch plan,
// look at the held process and its threads, and hand back counts.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/error.hpp"
#include "model/run_counts.hpp"

namespace bops {

struct CollectorInfo {
  std::string name;            ///< as on the command line: "qemu"
  std::string title;           ///< one line for people
  std::string unit;            ///< "retired_instructions", "retired_uops", "dispatched_ops", ...
  std::string scope;           ///< "user", or "user+kernel"
  std::string integrity;       ///< "in_target": the target could forge the counts; "kernel": not
  std::string slowdown_class;  ///< "native", or "emulated": the time is not the program's own
};

/// Can it run here, on this machine, now?
struct Probe {
  bool usable = false;
  std::string reason;             ///< why not, or under which limits; one sentence
  std::string remedy;             ///< what to do about it; empty if there is nothing to do
  bool nothing_to_count = false;  ///< what it counts is not on this machine: no loss
};

/// Something of this machine that bounds what a collector can do, for `bops doctor`.
struct Limit {
  std::string message;  ///< one sentence
  std::string remedy;   ///< what to do about it; empty if there is nothing to do
};

/// How the target will be started. The command is already resolved to a file.
struct LaunchPlan {
  std::string executable;                ///< absolute path of the file to execute
  std::vector<std::string> arguments;    ///< argv, argv[0] included; arbitrary bytes but NUL
  std::vector<std::string> environment;  ///< "NAME=value"
};

/// Something that happened to the run, told by the launcher. `tid` is a thread of `pid`.
struct ThreadEvent {
  enum class Kind : std::uint8_t {
    kHeld,      ///< the root waits before its execve(2)
    kReleased,  ///< the root executes the program
    kStarted,   ///< a thread is stopped before its first instruction, or was attached to
    kExecuted,  ///< a thread is stopped before the first instruction of a new image
    kExited,    ///< a thread has executed its last instruction, or has ended and is not reaped yet
    kForked,    ///< a thread, stopped in fork(2) or vfork(2), has made a process: told before the
                ///< maker goes on, and before or after the process is kStarted
  };
  Kind kind;
  pid_t pid;
  pid_t tid;
  /// kExecuted: the id that the thread had before, mostly `tid`. kForked: the maker's. kExited: the
  /// thread that made it end, and took its id, by its execve(2); mostly 0.
  pid_t former_tid = 0;
  /// kExited: false if the thread was killed before its first instruction.
  bool has_executed = true;
};

/// Where a run keeps what it must not lose. The session owns the directory.
struct RunDirectory {
  std::string path;             ///< absolute, mode 0700
  std::uint64_t start_mono_ns;  ///< CLOCK_MONOTONIC at the start of the run
};

/// Vector work (`--vector`): the events that RunCounts::operations_estimate is made of.
enum class VectorCounting : std::uint8_t {
  kOff,
  kBeside,  ///< with the counts of the formula, at the same time
  kAlone,   ///< instead of them: the counts of such a run are missing but for the estimate
};

/// How the work of GPUs is counted (`--gpu`).
enum class GpuCounting : std::uint8_t {
  kMeter,    ///< sums of many kernels, at next to no cost
  kProfile,  ///< each kernel for itself, launched again for each pass
};

/// How a run is to be counted.
struct CountingOptions {
  bool with_kernel = false;       ///< what the kernel executes for the target as well
  bool follow = true;             ///< false: threads and children must not be traced (--no-ptrace)
  bool snapshots = false;         ///< snapshot() will be called while threads run
  std::uint64_t interval_ms = 0;  ///< about every so often, to be shown; 0: not to be shown
  VectorCounting vector = VectorCounting::kOff;
  std::size_t vector_run = 0;             ///< kAlone: which one of Collector::vector_runs()
  GpuCounting gpu = GpuCounting::kMeter;  ///< of a collector that counts GPUs
  bool tensor_operations = false;         ///< of kProfile: matrix instructions' operations by type
  /// Starts of the file names of code that another collector puts into the target: its instructions
  /// are RunCounts::instruments, and in no sum, where the collector sees where instructions lie.
  std::vector<std::string> instruments{};
  /// Events of each kind, and of each thread, between samples of instruction addresses
  /// (`--sample`); 0: none are taken.
  std::uint64_t sample_period = 0;
};

/// One measuring method. The calls come in the order of the declarations; snapshot() any number of
/// times between prepare() and collect(). No call throws.
class Collector {
 public:
  Collector() = default;
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;
  virtual ~Collector() = default;

  [[nodiscard]] virtual CollectorInfo info() const = 0;
  [[nodiscard]] virtual Probe probe() const = 0;
  /// As probe(), but may rely on what was found since the machine was started: asked before each
  /// run.
  [[nodiscard]] virtual Probe quick_probe() const { return probe(); }
  /// What bounds it on this machine, whether it can run or not. Takes no counters.
  [[nodiscard]] virtual std::vector<Limit> limits() const { return {}; }
  /// Refuses what it cannot do. Collectors that decode see user mode only.
  [[nodiscard]] virtual Result<void> configure(const CountingOptions& options) {
    if (options.vector != VectorCounting::kOff)
      return failure("the collector " + info().name +
                         " counts operations exactly, --vector would estimate them from hardware "
                         "events",
                     "leave out --vector, or count with --collector pmu");
    if (options.sample_period > 0)
      return failure("the collector " + info().name +
                         " knows which function each instruction is in, --sample would estimate it",
                     "leave out --sample, or count with --collector pmu");
    if (!options.with_kernel) return {};
    return failure("the collector " + info().name + " counts user mode only",
                   "leave out --with-kernel, or count with --collector pmu");
  }
  /// Counts what GPUs execute, beside another collector, which counts the CPUs: of its counts only
  /// `gpus` and `warnings` are given.
  [[nodiscard]] virtual bool counts_gpus() const { return false; }
  /// As CountingOptions::instruments.
  [[nodiscard]] virtual std::vector<std::string> instruments() const { return {}; }
  /// What would be measured on a GPU with that chip.
  [[nodiscard]] virtual Result<GpuChipReport> chip_report(const std::string& chip) const {
    return failure("the collector " + info().name + " counts no GPUs, and knows no chip " + chip);
  }
  /// How many runs with VectorCounting::kAlone it takes to count all vector events; 0: it has none.
  [[nodiscard]] virtual std::size_t vector_runs() const { return 0; }
  /// Makes ready to count the plan's program: may change the plan. Refuses, with the reason, a
  /// program that it cannot count.
  [[nodiscard]] virtual Result<void> prepare(LaunchPlan& plan, const RunDirectory& directory) = 0;
  /// Whether the session has to follow all threads and children (ptrace(2)). Asked after prepare().
  [[nodiscard]] virtual bool follows_threads() const { return false; }
  /// They cannot be followed, for that reason: counts without, or refuses. Called before the target
  /// starts.
  [[nodiscard]] virtual Result<void> cannot_follow(const Error& reason) {
    return tl::unexpected(reason);
  }
  /// Called for the root process (held, released) by every session, and for all threads where the
  /// session follows threads; an error stops the target only before it was released.
  [[nodiscard]] virtual Result<void> on_thread_event(const ThreadEvent& event) = 0;
  /// A descriptor on which threads of the target may ask something of the collector, or -1: while
  /// it is readable, the session calls serve(). Asked after prepare().
  [[nodiscard]] virtual int service_descriptor() const { return -1; }
  virtual void serve() {}
  /// Whether the thread has to stop before it ends, to be counted in full. Asked of each thread
  /// that has started or executed; such stops take more time than all else that is done for a
  /// thread.
  [[nodiscard]] virtual bool wants_exit_stop(pid_t /*tid*/) const { return true; }
  /// The counts so far. Monotone: no count of a later snapshot is lower.
  [[nodiscard]] virtual Result<RunCounts> snapshot() = 0;
  /// The final counts, after the target and its descendants have ended.
  [[nodiscard]] virtual Result<RunCounts> collect() = 0;
  /// Whether the counts of a run outlive bops in its directory. Where they do not, the session
  /// keeps snapshots there, also of threads that run.
  [[nodiscard]] virtual bool counts_outlive_bops() const { return true; }
  /// The counts of a run whose bops died, from what is in its directory.
  [[nodiscard]] virtual Result<RunCounts> recover(const RunDirectory& directory) = 0;
};

/// A row of the collector table, which CMake generates from the folders under collectors/.
using CollectorFactory = std::unique_ptr<Collector> (*)();

}  // namespace bops
