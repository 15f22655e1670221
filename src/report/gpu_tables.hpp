// The tables of a report that are about GPUs.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "model/run_record.hpp"
#include "report/document.hpp"

namespace bops {

/// A kernel's name; of a graph also which kernels are in it, `most_names` of them.
[[nodiscard]] std::string kernel_text(const GpuKernelCounts& kernel, std::size_t most_names);

/// Per GPU its headline, its kernels and NVTX ranges, and what its sets of metrics mean; first the
/// sum of CPU and GPUs. None where the record has no GPU.
[[nodiscard]] std::vector<Table> gpu_tables(const RunRecord& record);

/// The code that tools put into the target: its instructions are in no sum.
[[nodiscard]] Table instrument_table(const RunCounts& counts);

}  // namespace bops
