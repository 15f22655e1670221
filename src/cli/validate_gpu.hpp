// bops validate --gpu: the reference kernels of GPUs, profiled, against their source.
#pragma once

#include "session/collector_choice.hpp"

namespace bops {

/// Profiles each kernel of bops-gpu-workload and prints a table; the exit status: 0 if every count
/// is what the source asks for, 1 if not, 125 where no GPU can be counted, with the reason.
[[nodiscard]] int validate_gpu(Collectors collectors, bool colour);

}  // namespace bops
