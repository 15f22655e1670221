// fixtures/machines/machines.json: what real machines say of themselves, and the event files that
// are right for them.
#pragma once

#include <cstddef>
#include <ostream>
#include <string>
#include <vector>

#include "collectors/pmu/event_table.hpp"

namespace bops::pmu {

struct KnownMachine {
  std::string name;
  CpuIdentity cpu;
  std::vector<std::string> pmus;  ///< directories in event_source/devices
  bool hyperthreading = false;
  std::vector<std::string> tables;  ///< one for each PMU; none: it must be refused
};

[[nodiscard]] std::vector<KnownMachine> known_machines();

/// A directory that looks like /sys of a machine with those core PMUs, for the test's life. The
/// first PMU has the type 4 (PERF_TYPE_RAW), as cpu and cpu_core have; those after it 10, 11, ...
class FakeSysfs {
 public:
  explicit FakeSysfs(const std::vector<std::string>& pmus);
  FakeSysfs(const FakeSysfs&) = delete;
  FakeSysfs& operator=(const FakeSysfs&) = delete;
  ~FakeSysfs();

  [[nodiscard]] const std::string& path() const { return path_; }
  void write(const std::string& file, const std::string& content) const;

  static constexpr std::uint32_t kSecondType = 10;

 private:
  std::string path_;
};

[[nodiscard]] Machine machine_of(const KnownMachine& known, const FakeSysfs& sysfs);

std::ostream& operator<<(std::ostream& stream, const KnownMachine& machine);

}  // namespace bops::pmu
