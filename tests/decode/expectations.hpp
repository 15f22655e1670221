// What the head of a program under workloads/known_asm says that it counts.
#pragma once

#include <string>
#include <vector>

#include "model/instruction_counts.hpp"
#include "model/operation_mix.hpp"

namespace bops::exact {

struct Expectations {
  InstructionCounts instructions;
  std::int64_t bops_formula = 0;
  Operations operations;
  InstructionClasses classes;
  std::vector<std::string> needs;  ///< CPU features
  int exit_code = 0;
};

/// Reads the `# expect:`, `# class:`, `# needs:` and `# exit:` lines; throws where a required one
/// or one of its numbers is missing.
[[nodiscard]] Expectations read_expectations(const std::string& source_path);

/// The first feature of `needs` that this CPU or its operating system lacks; empty if it has all.
[[nodiscard]] std::string missing_feature(const std::vector<std::string>& needs);

}  // namespace bops::exact
