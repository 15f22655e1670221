// Whether GPUs can be counted on this machine, asked without CUPTI and without starting the driver.
#pragma once

#include <string>
#include <vector>

#include "model/collector.hpp"

namespace bops::cuda {

/// Where the machine is looked at. The defaults are the machine itself.
struct Machine {
  std::string root{};  ///< put before every path: a copy of /proc and /tmp of another machine
  std::string proc = "/proc";
};

/// The machine, or in its place the one of $BOPS_NVIDIA_ROOT (a directory with proc/ in it).
[[nodiscard]] Machine this_machine();

/// Driver present and new enough, a GPU there, counters not restricted, no tool injected already.
[[nodiscard]] Probe check_driver(const Machine& machine);

/// What may be in the way: MIG, MPS, confidential computing, DCGM or another profiler.
[[nodiscard]] std::vector<Limit> driver_limits(const Machine& machine);

}  // namespace bops::cuda
