// Runs whose report could not be written.
#pragma once

#include <iostream>

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

}  // namespace bops
