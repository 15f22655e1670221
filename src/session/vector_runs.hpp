// Vector work counted in runs of its own (`--vector=second-run`).
#pragma once

#include "session/run_session.hpp"

namespace bops {

/// As run_session(), and then the command is run again as often as its vector events need the
/// counters for themselves: once on most CPUs. The record is the first run's, with the estimate of
/// the others. An error means that the target was not started; further runs that fail, or end in
/// another way than the first, are told in a warning.
[[nodiscard]] Result<FinishedRun> run_with_vector_runs(const RunRequest& request,
                                                       Collectors collectors,
                                                       const RunListener& listener);

}  // namespace bops
