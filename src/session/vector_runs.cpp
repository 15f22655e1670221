#include "session/vector_runs.hpp"

#include <utility>

namespace bops {
namespace {

constexpr const char* kNotEstimated = "vector_work_not_estimated";

/// How many runs the events need. Refuses what the collector cannot count.
Result<std::size_t> further_runs(const RunRequest& request, Collectors collectors) {
  const auto choice = choose_collector(collectors, request.collector, request.require_pmu);
  if (!choice) return tl::unexpected(choice.error());
  CountingOptions options;
  options.with_kernel = request.with_kernel;
  options.follow = request.follow;
  options.vector = VectorCounting::kAlone;
  if (auto configured = choice->collector->configure(options); !configured)
    return tl::unexpected(configured.error());
  return choice->collector->vector_runs();
}

/// The estimate of one further run.
Result<OperationsEstimate> estimate_of(const RunRequest& request, Collectors collectors,
                                       FinishedRun& whole) {
  RunRecord& first = whole.record;
  const RunListener silent{[](const std::string&) {}, [](const IntervalRecord&) {}};
  auto run = run_session(request, collectors, silent);
  if (!run) return tl::unexpected(run.error());
  whole.interrupted |= run->interrupted;
  if (run->interrupted) return failure("a further run was interrupted");
  if (run->record.exit != first.exit)
    first.warnings.push_back({"further_run_differs",
                              "the run in which vector work was counted ended in another way than "
                              "the first: the estimate is of other work"});
  if (run->record.counts.operations_estimate)
    return *std::move(run->record.counts.operations_estimate);
  for (const Warning& warning : run->record.counts.warnings)
    if (warning.code == kNotEstimated) return failure(warning.message);
  return failure("a further run was not counted");
}

}  // namespace

Result<FinishedRun> run_with_vector_runs(const RunRequest& request, Collectors collectors,
                                         const RunListener& listener) {
  const auto runs = further_runs(request, collectors);
  if (!runs) return tl::unexpected(runs.error());
  auto first = run_session(request, collectors, listener);
  if (!first) return first;
  RunRecord& record = first->record;
  if (record.exit.signal || first->interrupted) {
    record.warnings.push_back(
        {kNotEstimated, "the command was killed or interrupted, and was not run again"});
    return first;
  }
  RunRequest again = request;
  again.interval = std::chrono::nanoseconds{0};
  again.vector = VectorCounting::kAlone;
  again.gpu = GpuChoice::kOff;
  OperationsEstimate sum;
  for (again.vector_run = 0; again.vector_run < *runs; ++again.vector_run) {
    const auto estimate = estimate_of(again, collectors, *first);
    if (!estimate) {
      record.warnings.push_back({kNotEstimated, estimate.error().message});
      return first;
    }
    sum += *estimate;
  }
  sum.further_runs = static_cast<std::uint32_t>(*runs);
  record.counts.operations_estimate = std::move(sum);
  return first;
}

}  // namespace bops
