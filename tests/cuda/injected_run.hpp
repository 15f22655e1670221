// Runs the double's program with the library inside it, without bops around it.
#pragma once

#include <string>
#include <vector>

#include "collectors/cuda/metric_sets.hpp"
#include "collectors/cuda/wire_reader.hpp"
#include "tests/harness/subprocess.hpp"

namespace bops::cuda {

struct InjectedRun {
  harness::Ended ended;
  std::vector<WireFile> files;  ///< by process id
};

struct Injection {
  Mode mode = Mode::kMeter;
  std::string settings = "chip=GH100";  ///< of the double
  std::uint64_t interval_ms = 1000;
  std::uint64_t ranges = 512;
  std::string cupti{};  ///< empty: the double's
};

[[nodiscard]] InjectedRun run_injected(const std::vector<std::string>& words,
                                       const Injection& injection = {});

/// What `launches` launches of a kernel add to each metric of the mode's sets, as counts.
[[nodiscard]] GpuCounts expected_counts(Mode mode, const std::string& kernel, std::uint64_t blocks,
                                        std::uint64_t threads, std::uint64_t launches);

}  // namespace bops::cuda
