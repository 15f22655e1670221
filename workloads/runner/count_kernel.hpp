// Runs a kernel of the counted build and collects its tallies.
#pragma once

#include <cstdint>

#include "workloads/kernel.hpp"
#include "workloads/tallies.hpp"

namespace bops::workloads {

struct CountOutcome {
  Tallies tallies;            ///< of all threads and repeats; set-up and checks not included
  bool result_right = false;  ///< every instance's own check
  bool as_expected = true;    ///< the tallies are the kernel's closed form, where it has one
};

/// `threads` instances, each with `repeats` rounds.
[[nodiscard]] CountOutcome count_kernel(const Kernel& kernel, Style style, const Problem& problem,
                                        std::int64_t threads, std::int64_t repeats);

}  // namespace bops::workloads
