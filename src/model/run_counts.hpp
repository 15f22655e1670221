// What a collector hands back: counts of processes and threads, and what is known about them.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/gpu_counts.hpp"
#include "model/instruction_counts.hpp"
#include "model/operation_mix.hpp"
#include "model/operations_estimate.hpp"
#include "model/quality.hpp"
#include "model/sampled_functions.hpp"
#include "model/warning.hpp"

namespace bops {

/// Everything counted for one thing (a thread, an image, a run). The decoded parts are absent where
/// the collector sees no instructions (hardware counters).
struct Counts {
  InstructionCounts instructions;
  std::optional<Operations> operations;
  std::optional<InstructionClasses> classes;

  /// Adds; a part that either side lacks is absent from the sum, never a silent 0.
  Counts& operator+=(const Counts& other);
  /// Subtracts an earlier state of the same counters.
  Counts& operator-=(const Counts& other);
  /// Counts of nothing, with the decoded parts present: the start of an exact sum.
  [[nodiscard]] static Counts exact_zero() {
    return {InstructionCounts{}, Operations{}, InstructionClasses{}};
  }
  friend bool operator==(const Counts&, const Counts&) = default;
};

/// What the target says it did, by unit: {"tokens", 128}. A name without an amount is not in it.
using Work = std::map<std::string, std::uint64_t>;

/// One thread. Thread ids recur: (pid, tid, start_ns) identifies it.
struct ThreadCounts {
  pid_t pid = 0;
  pid_t tid = 0;
  std::string name;                     ///< the kernel's comm, at its end if known
  std::uint64_t start_ns = 0;           ///< since the start of the run, CLOCK_MONOTONIC
  std::optional<std::uint64_t> end_ns;  ///< absent while it runs
  std::string via;                      ///< what counted it: "qemu", "native", "papi", "perf"
  Counts counts;
  Work work{};          ///< done in the thread, in its regions and outside
  bool counted = true;  ///< false: `counts` are nothing; a warning says why
};

/// One program image of one process: an exec starts another row with the same pid.
struct ProcessCounts {
  pid_t pid = 0;
  pid_t ppid = 0;
  std::string executable;  ///< absolute path, empty if unknown
  bool counted = true;
  std::string reason;                   ///< why it was not counted; empty if it was
  std::uint64_t start_ns = 0;           ///< since the start of the run
  std::optional<std::uint64_t> end_ns;  ///< absent while it runs
  Counts counts;                        ///< the sum of its threads
};

/// One executable or library: where the counted instructions lie.
struct ImageCounts {
  std::string path;      ///< absolute path, or "[vdso]", "[anonymous]", "[unknown]"
  std::string build_id;  ///< lower-case hex of the GNU build-id note; empty if it has none
  Counts counts;
};

/// One function of an image: where in it the counted instructions lie. Functions of one name in one
/// image (static ones of several files) are one row.
struct FunctionCounts {
  std::string image;  ///< as ImageCounts::path
  std::string name;   ///< demangled, or "[unknown]" for code that no symbol covers
  Counts counts;
};

/// One region of one thread: what ran between its begins and ends, in all of its entries, what was
/// nested in it included. Inside itself a region counts once. So the regions of a thread overlap,
/// and each of them is a part of the thread.
struct RegionCounts {
  std::string name;  ///< as the target gave it: any bytes
  pid_t pid = 0;
  pid_t tid = 0;
  std::uint64_t thread_start_ns = 0;  ///< ThreadCounts::start_ns of its thread
  std::uint64_t entries = 0;          ///< how often it was begun
  Work work{};                        ///< done in it, in what was nested in it included
  Counts counts;
  bool counted = true;  ///< false: `counts` are nothing; a warning says why
};

/// A data file that counts depend on.
struct CountBasis {
  std::string name;
  std::string content;
};

/// A state of the whole run. `threads` sum to the run; so do `processes`, and `images` and
/// `functions` where given.
struct RunCounts {
  std::vector<ProcessCounts> processes;
  std::vector<ThreadCounts> threads;
  std::vector<ImageCounts> images;
  std::vector<FunctionCounts> functions;  ///< none in a snapshot
  std::vector<RegionCounts> regions;      ///< in the order of their first begins
  std::vector<ImageCounts> instruments;   ///< code of tools inside the target: in no sum above
  std::vector<GpuDeviceCounts> gpus;      ///< beside all of the above, in no sum of theirs
  std::optional<std::uint64_t> cycles;    ///< of the cores, while they ran the threads
  std::optional<OperationsEstimate> operations_estimate;  ///< if asked for (`--vector`)
  std::optional<SampledFunctions> sampled;  ///< if asked for (`--sample`); none in a snapshot
  Quality quality = Quality::kMissing;
  std::vector<Warning> warnings;
  /// Largest relative error of hardware counts, parts per million; absent: not known.
  std::optional<std::int64_t> error_ppm;
  /// Of the time that a thread ran, the part in which it was counted: the least of any thread,
  /// parts per million. The rest was extrapolated (Quality::kScaled).
  std::int64_t counted_ppm = 1'000'000;
  std::optional<CountBasis> basis;  ///< the event file of hardware counts

  [[nodiscard]] Counts totals() const;
  /// The sum of the threads' work.
  [[nodiscard]] Work total_work() const;
};

/// Adds `other` to `sum`, unit by unit.
void add_work(Work& sum, const Work& other);

}  // namespace bops
