// The options that `run` and `count` share.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "workloads/kernel.hpp"

namespace bops::workloads {

struct ProblemOptions {
  std::string kernel;
  std::optional<std::int64_t> size;  ///< the kernel's default size if absent
  std::uint64_t seed = 1;
  std::string distribution = "uniform";
  std::int64_t threads = 1;
  std::int64_t repeats = 1;
};

void add_problem_options(CLI::App& command, ProblemOptions& options);

/// The kernel and problem that the options ask for; says on stderr what is wrong with them and
/// returns nothing if they cannot be had.
struct ChosenProblem {
  Kernel kernel;
  Problem problem;
};
[[nodiscard]] std::optional<ChosenProblem> choose_problem(const ProblemOptions& options);

}  // namespace bops::workloads
