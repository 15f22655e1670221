// Whether hardware counters can be trusted, found out by counting work whose counts are known
// (workloads/known_asm/known_loops.S), as rr does before it relies on a counter.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "collectors/pmu/event_table.hpp"
#include "model/error.hpp"
#include "model/instruction_counts.hpp"
#include "model/warning.hpp"

namespace bops::pmu {

/// Calls the work once, on the calling thread, and returns what the counters counted meanwhile in
/// user mode; some instructions more (enabling, reading) do no harm.
using CountFunction = std::function<Result<InstructionCounts>(const std::function<void()>& work)>;

/// What was counted, against what was executed.
struct SelfCheckResult {
  InstructionCounts expected;
  InstructionCounts counted;
  double error = 0;   ///< the largest relative one of the four, without sign
  double margin = 0;  ///< the largest that is let pass
  [[nodiscard]] bool passed() const { return error <= margin; }
};

/// Counts the loops, in some 5 ms; when the counts are off, twice more, and the best of the three
/// is the result: a passing disturbance is no fault of the counter. Fails as `count` fails.
[[nodiscard]] Result<SelfCheckResult> check_counters(const CountFunction& count, double margin);

/// The warning that a check which did not pass gives: which counts are off, by how much, and what
/// to do. `table` is EventSet::table.
[[nodiscard]] Warning self_check_warning(const SelfCheckResult& result, const std::string& table);

/// The largest margin among the kinds of core: the loops may run on any.
[[nodiscard]] double margin_of(const std::vector<EventSet>& sets);

/// Where it is remembered that a check has passed, so that it is made once per boot.
class SelfCheckRecord {
 public:
  /// `directory` is where bops keeps its state (mode 0700). `subject` says what was checked: the
  /// CPU, its tables, the way of counting. `boot_id` is another one after the machine has started
  /// again.
  SelfCheckRecord(const std::string& directory, std::string subject, std::string boot_id);

  [[nodiscard]] bool has_passed() const;
  /// Where it cannot be written, the next run checks again.
  void set_passed() const;

 private:
  std::string path_;
  std::string content_;
};

/// The kernel's random number of this boot; empty where /proc does not tell.
[[nodiscard]] std::string boot_id();

/// The whole story: nothing if the check passes or has passed since the machine started; else the
/// warning. A failed check is not remembered: the next run makes it again. Fails as `count` fails.
[[nodiscard]] Result<std::optional<Warning>> self_check(const CountFunction& count,
                                                        const std::vector<EventSet>& sets,
                                                        const SelfCheckRecord& record);

}  // namespace bops::pmu
