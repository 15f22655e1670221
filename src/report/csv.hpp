// The counts as comma-separated values.
#pragma once

#include <string>

#include "model/run_record.hpp"
#include "report/render.hpp"

namespace bops {

/// RFC 4180: a header, then one row for the run, each process, each thread, each image and each
/// function, told apart by the column `scope`; lines end in CR LF. An empty cell was not measured
/// or does not apply; `image` is a function's. Times are nanoseconds since the start of the run.
/// The name of a run is its command, of a process or image its path; names are printable() text.
/// `quality` is the run's, or `missing` where a process was not counted: no row claims more than
/// the run can. GPUs, their kernels and NVTX ranges have the scopes `gpu`, `gpu_kernel` and
/// `gpu_region`: their counts are of warp instructions, `entries` are launches, `image` is the GPU.
[[nodiscard]] std::string render_csv(const RunRecord& record, const RenderOptions& options);

}  // namespace bops
