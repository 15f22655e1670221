// Where the files lie that processes execute, for samples in them.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/doubles/pmu/sample_ring.hpp"

namespace bops::pmu_double {

class ProcessCode {
 public:
  /// What /proc says now, in the place of all that is known of the process.
  void look_at(pid_t pid);
  /// A record of the kernel's: of a mapping, or of an execve(2).
  void take(const SampleRing::Record& record);
  /// Of a place in a file; nothing while it is not mapped.
  [[nodiscard]] std::optional<std::uint64_t> address(pid_t pid, const std::string& file,
                                                     std::uint64_t offset) const;

 private:
  struct Mapping {
    std::uint64_t start, end, offset;
    std::string file;
  };
  std::map<pid_t, std::vector<Mapping>> processes_;
};

/// The process of a thread, 0 if that is gone.
[[nodiscard]] pid_t process_of(pid_t tid);

}  // namespace bops::pmu_double
