// The one function that tells the whole story of a run.
#pragma once

#include <functional>
#include <string>

#include "model/run_record.hpp"
#include "session/collector_choice.hpp"
#include "session/run_directory.hpp"
#include "session/run_request.hpp"
#include "usage/usage_meter.hpp"

namespace bops {

/// What the session tells while it goes on.
struct RunListener {
  std::function<void(const std::string& notice)> on_notice;
  std::function<void(const IntervalRecord& interval)> on_interval;
};

struct FinishedRun {
  RunRecord record;
  /// Holds the counts until the caller has written the record, or tells it to keep them.
  OwnedRunDirectory directory;
  Result<void> usage{};          ///< whether all usage records were written
  bool usage_unwritten = false;  ///< records are made that bops recover can write
  bool interrupted = false;      ///< TargetEnd::interrupted
};

/// After UsageMeter::finish(): what it tells goes into the run.
void end_usage(const UsageMeter& usage, FinishedRun& finished);

/// Runs the command once under the collector that the request asks for. An error means that the
/// target was not started; whatever goes wrong later is in the record. `usage`, unless it is null,
/// writes usage records of the run.
[[nodiscard]] Result<FinishedRun> run_session(const RunRequest& request, Collectors collectors,
                                              const RunListener& listener,
                                              UsageMeter* usage = nullptr);

/// The record of a run whose bops died, from its directory.
[[nodiscard]] Result<RunRecord> recover_run(const std::string& directory_path,
                                            Collectors collectors);

/// Whether the bops of that run is still there.
[[nodiscard]] bool is_running(const RunManifest& manifest);

}  // namespace bops
