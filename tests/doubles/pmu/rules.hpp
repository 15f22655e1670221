// What the PMU double counts and refuses: the file that BOPS_PMU_DOUBLE names. README.md has its
// words.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace bops::pmu_double {

/// perf_event_attr's type and config.
using Code = std::pair<std::uint32_t, std::uint64_t>;

/// Of whom an event counts, as far as rules ask.
struct Subject {
  pid_t tid = 0;
  std::string name;  ///< of the thread, its last one if it has ended
  std::uint64_t running_ns = 0;
};

/// "7", "1000*tid+7", "1000*index+7" (the number at the end of the thread's name), "25/us".
struct Expression {
  enum class Kind { kFixed, kTid, kIndex, kPerMicrosecond } kind = Kind::kFixed;
  std::uint64_t factor = 0;
  std::uint64_t offset = 0;
  [[nodiscard]] std::uint64_t value(const Subject& subject) const;
};

struct ThreadRule {
  std::string pattern;  ///< of its name, as a shell matches; or its number
  std::map<std::string, Expression> user;
  std::map<std::string, Expression> kernel;  ///< in addition, if the kernel is counted too
};

struct RunningRule {
  std::uint32_t percent = 100;
  std::optional<std::uint32_t> type;
  std::string pattern = "*";
};

struct ErrorRule {
  int error = 0;
  std::optional<std::uint32_t> type;
  std::optional<std::uint64_t> config;
  bool kernel_only = false;  ///< only events that count the kernel too
  std::uint64_t after = 0;   ///< not before so many events are open or have been
};

/// What an event samples at one place, or loses.
struct SampleRule {
  std::string line;     ///< as it stands in the rules
  std::string pattern;  ///< as ThreadRule::pattern
  std::map<std::string, Expression> counts;
  bool lost = false;
  std::string file;         ///< empty: `place` is an address
  std::uint64_t place = 0;  ///< byte of the file
};

struct Rules {
  std::set<std::uint32_t> types{0, 3, 4};  ///< PERF_TYPE_HARDWARE, HW_CACHE and RAW
  std::map<Code, std::string> events;
  std::set<std::string> fixed;             ///< events that take no general-purpose counter
  std::optional<std::uint32_t> counters;   ///< general-purpose ones; absent: as many as asked for
  std::optional<std::uint32_t> exclusive;  ///< of these, for a group with events 0xd0 to 0xd3
  std::vector<ThreadRule> threads;
  std::vector<RunningRule> running;
  std::vector<ErrorRule> errors;
  std::vector<SampleRule> samples;
  std::optional<std::uint32_t> rings;  ///< that may be mapped at a time; absent: any number
  std::optional<std::uint64_t> rdpmc;  ///< by how much it reads too high; absent: not allowed
  std::set<std::string> without;       ///< what older kernels and plainer PMUs refuse

  /// Whether any rule asks for the name of a thread.
  [[nodiscard]] bool ask_for_names() const;
  /// The errno of opening an event; 0 if it may be opened.
  [[nodiscard]] int error_of(Code code, bool counts_kernel, std::uint64_t opened) const;
  [[nodiscard]] bool is_general(Code code) const;
  [[nodiscard]] std::uint32_t running_percent(std::uint32_t type, const Subject& subject) const;
  /// What the event would count if it were always on a counter.
  [[nodiscard]] std::uint64_t count(Code code, bool counts_kernel, const Subject& subject) const;
};

/// Whether a rule's pattern is for the thread.
[[nodiscard]] bool matches(const std::string& pattern, const Subject& subject);

/// The rules in `text`; writes what is wrong with them to stderr and aborts.
[[nodiscard]] Rules parse_rules(const std::string& text);

}  // namespace bops::pmu_double
