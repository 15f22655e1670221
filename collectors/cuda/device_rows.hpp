// From the files of all processes to the GPUs of the run.
#pragma once

#include <cstdint>
#include <vector>

#include "collectors/cuda/metric_sets.hpp"
#include "collectors/cuda/wire_reader.hpp"
#include "model/run_counts.hpp"

namespace bops::cuda {

/// Of the processes: whether what is in no file yet may still come.
enum class State : std::uint8_t { kRunning, kEnded };

/// What the files hold: `gpus` of the run, one row for each GPU and set of metrics that was
/// collected on it, with warnings for all that failed or is missing. The rest of the counts is
/// empty, the quality is that of the poorest row (exact where there is none).
[[nodiscard]] RunCounts gpu_counts(const std::vector<WireFile>& files, Mode mode,
                                   State state = State::kEnded);

}  // namespace bops::cuda
