// The command line of the measured programs, parsed without a library: what they execute besides
// the kernel stays small.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "workloads/kernel.hpp"
#include "workloads/runner/run_kernel.hpp"

namespace bops::workloads {

struct Arguments {
  const Kernel* kernel = nullptr;
  Problem problem;
  Style style = Style::kPointer;  ///< counted builds only: the others hold one
  std::int64_t threads = 1;
  Rounds rounds;
  std::string error;  ///< what is wrong and what to do; empty if nothing is
};

/// `words` are those after the program's name: KERNEL, then pairs of option and value.
[[nodiscard]] Arguments parse_arguments(std::span<char* const> words,
                                        const std::vector<Kernel>& table);

}  // namespace bops::workloads
