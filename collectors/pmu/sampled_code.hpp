// From the addresses of samples to functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "collectors/pmu/sample_record.hpp"
#include "model/sampled_functions.hpp"
#include "platform/elf_symbols.hpp"

namespace bops::pmu {

/// The samples of a run, by process and address, and the code that lay there. Where a process
/// mapped two files at one address one after another, the last one has the samples.
class SampledCode {
 public:
  /// A process is there that was not started by execve(2) under our eyes: its mappings are those of
  /// /proc/PID/maps now.
  void add_process(pid_t pid);
  void add_mapping(CodeMapping mapping);
  /// The process has executed a program: mappings and samples from now on are of the new one.
  void start_program(pid_t pid) { current_[pid] = new_space(); }
  /// `event`: 0 to 3, as in FormulaSamples.
  void add_sample(pid_t pid, std::uint64_t address, std::size_t event);

  /// Reads the files that were mapped, as they are now; one that has another build-id than what was
  /// mapped has no functions. Without estimates.
  [[nodiscard]] std::vector<SampledFunction> functions(
      const std::string& debug_root = std::string(kDebugRoot)) const;

 private:
  /// The memory of a process from one execve(2) to the next.
  struct Space {
    std::vector<CodeMapping> mappings;
    std::unordered_map<std::uint64_t, FormulaSamples> samples;  // by address
  };
  [[nodiscard]] std::size_t new_space();
  [[nodiscard]] Space& space_of(pid_t pid);

  std::vector<Space> spaces_;
  std::unordered_map<pid_t, std::size_t> current_;
};

}  // namespace bops::pmu
