// Runs whose report or usage records could not be written.
#pragma once

#include <iostream>

#include "cli/cli.hpp"
#include "session/run_session.hpp"
#include "session/snapshots.hpp"

namespace bops {

/// Leaves the counts where they are, with the record, and tells where.
inline void keep(FinishedRun& run) {
  run.directory.keep();
  // Without it, recovery does with the counts.
  (void)keep_record(run.directory.directory().path, run.record);
  std::cerr << "      the counts are kept: bops recover " << run.directory.name() << " -o FILE\n";
}

/// Whether all usage records are written; if not, tells, and leaves the counts where they are.
inline int tell_usage(FinishedRun& run) {
  if (run.usage) return 0;
  const int status = report_error(run.usage.error());
  if (run.usage_unwritten) keep(run);
  return status;
}

}  // namespace bops
