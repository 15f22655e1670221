// A PMU for tests, on any machine: see README.md.
#pragma once

#include <cstddef>
#include <map>
#include <string>

namespace bops {

/// Rules for this process and those it starts, until the end of the scope. The double must be
/// loaded (run_with_pmu_double(), or environment() for a program).
class PmuDouble {
 public:
  explicit PmuDouble(const std::string& rules);
  PmuDouble(const PmuDouble&) = delete;
  PmuDouble& operator=(const PmuDouble&) = delete;
  ~PmuDouble();

  /// Other rules from now on, also for events that are open.
  void change(const std::string& rules);

  /// What a program needs in its environment to be counted by these rules.
  [[nodiscard]] std::map<std::string, std::string> environment() const;

  /// How many rings for samples have been mapped, or refused, under these rules.
  [[nodiscard]] std::size_t rings_mapped() const;
  /// How often rdpmc was executed under these rules.
  [[nodiscard]] std::size_t counters_read() const;

  /// Rules that give the events of an ordinary x86 their names, to begin others with: instructions,
  /// loads, stores, branches and cycles by the raw codes that Skylake has.
  static const char* skylake_events();

 private:
  /// Of a file beside the rules.
  [[nodiscard]] std::size_t bytes_of(const char* written) const;

  std::string path_;
};

/// Executes the running program again with the double loaded, unless it is. Call it first in
/// main().
void run_with_pmu_double(char** argv);

}  // namespace bops
