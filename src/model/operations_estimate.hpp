// Operations that counts of hardware events stand for (`--vector`).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bops {

/// One event's part of the estimate.
struct EstimatedShare {
  std::string event;    ///< libpfm4's name, or "r" and the raw code
  std::string meaning;  ///< "256-bit packed double; an FMA counts twice"
  double operations_each = 0;
  std::uint64_t count = 0;
  std::uint64_t operations = 0;  ///< count times operations_each, rounded
  friend bool operator==(const EstimatedShare&, const EstimatedShare&) = default;
};

/// Floating-point and vector operations by the formulas of the event file. An estimate: lanes that
/// a mask leaves out are counted, and where the width of the elements is not counted it is assumed
/// (EstimatedShare::meaning says so). It covers what the events cover, and is no replacement for
/// the formula's count of all instructions.
struct OperationsEstimate {
  std::uint64_t operations_estimate = 0;
  std::vector<EstimatedShare> events;
  /// Runs of the same command of their own in which the events were counted; 0: in the run itself.
  std::uint32_t further_runs = 0;
  friend bool operator==(const OperationsEstimate&, const OperationsEstimate&) = default;
};

/// The estimates of a hybrid's kinds of core, and of groups that were counted in several runs, are
/// summed; equal events are one.
OperationsEstimate& operator+=(OperationsEstimate& sum, const OperationsEstimate& other);

}  // namespace bops
