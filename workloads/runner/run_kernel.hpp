// Runs a kernel of a measured build.
#pragma once

#include <cstdint>

#include "workloads/kernel.hpp"

namespace bops::workloads {

/// What happens to each instance, after its construction and before its check.
struct Rounds {
  std::int64_t idle_repeats = 0;  ///< times that the data is restored and the kernel left out
  std::int64_t repeats = 1;       ///< times that the data is restored and the kernel called
};

/// Runs `threads` instances of the same problem, each in a thread and with data of its own (one: in
/// the calling thread). Tells whether all results are right. The build must hold the style.
[[nodiscard]] bool run_kernel(const Kernel& kernel, Style style, const Problem& problem,
                              std::int64_t threads, const Rounds& rounds);

}  // namespace bops::workloads
