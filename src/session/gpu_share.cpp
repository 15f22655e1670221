#include "session/gpu_share.hpp"

#include <string>
#include <utility>

namespace bops {
namespace {

void warn(RunRecord& record, std::string code, std::string message) {
  record.warnings.push_back({std::move(code), std::move(message)});
}

}  // namespace

void add_gpus_so_far(RunCounts& counts, RunCounts snapshot) {
  counts.gpus = std::move(snapshot.gpus);
  if (counts.gpus.empty() || counts.quality == Quality::kMissing) return;
  // The profiler's own instructions are among the counts.
  if (counts.instruments.empty()) counts.quality = poorer(counts.quality, Quality::kApproximate);
}

void add_gpus(RunRecord& record, const Collector& gpus, Result<RunCounts> counted, bool in_part,
              bool expected) {
  record.collectors.push_back(gpus.info());
  if (!counted) {
    warn(record, "gpu_counts_lost", counted.error().message);
    return;
  }
  for (Warning& warning : counted->warnings) record.warnings.push_back(std::move(warning));
  record.counts.gpus = std::move(counted->gpus);
  if (record.counts.gpus.empty()) {
    if (expected)
      warn(record, "gpu_not_used",
           "no process of the run started a kernel on a GPU that could be counted");
    return;
  }
  if (in_part)
    warn(record, "gpu_whole_run",
         "the counts of GPUs are those of the whole run: --delay and --control do not divide them");
  if (record.counts.quality == Quality::kMissing) return;
  if (!record.counts.instruments.empty()) {
    warn(
        record, "profiler_in_target",
        "CUPTI's own code ran in the target and is not among its counts (see instruments); what it "
        "made the C library and the driver do is");
    return;
  }
  record.counts.quality = poorer(record.counts.quality, Quality::kApproximate);
  warn(
      record, "profiler_in_counts",
      "CUPTI ran in the target, and this collector cannot tell its instructions from the target's: "
      "they are among the counts");
}

}  // namespace bops
