// What was counted on GPUs, beside what a run's other collector counted on the CPUs.
#pragma once

#include "model/collector.hpp"
#include "model/run_record.hpp"

namespace bops {

/// Takes over a snapshot of what was counted on GPUs; `counts` are the CPUs'.
void add_gpus_so_far(RunCounts& counts, RunCounts snapshot);

/// Takes over what was counted on GPUs in the whole run; `counts` of the record are those of the
/// CPUs already. `in_part`: those are of a part of the run alone. `expected`: it is told, too, if
/// no GPU was used.
void add_gpus(RunRecord& record, const Collector& gpus, Result<RunCounts> counted, bool in_part,
              bool expected);

}  // namespace bops
