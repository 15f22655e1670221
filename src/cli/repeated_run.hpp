// --repeat: the same command again and again.
#pragma once

#include <cstdint>
#include <functional>

#include "session/run_session.hpp"

namespace bops {

struct RepeatedRun {
  /// The last run, with the spread over all of them where there was more than one to be.
  FinishedRun last;
  /// What bops ends with: of a last run that was interrupted or killed, its own; else of the first
  /// run that failed; else of the last.
  ExitStatus exit;
  std::string notice;  ///< what happened to some of the runs; empty if all ended with 0
};

/// Runs `times` times, but not again once a run was killed or interrupted: such a run is left out
/// of the spread, unless it was the first. Runs that end with another status than 0 are in it, and
/// the record warns of them. Fails where `run_once` does.
[[nodiscard]] Result<RepeatedRun> run_repeatedly(
    std::uint32_t times, const std::function<Result<FinishedRun>()>& run_once);

}  // namespace bops
