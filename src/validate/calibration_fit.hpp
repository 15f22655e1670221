// From counted runs to the ratio of decoded operations to formula BOPs, and how far to trust it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/error.hpp"
#include "model/instruction_counts.hpp"
#include "model/run_counts.hpp"

namespace bops {

/// The same command counted twice. Where the production collector decodes, one run is both.
struct CalibrationRun {
  Counts exact;                  ///< decoded
  InstructionCounts production;  ///< by the collector whose runs are to be calibrated
  std::vector<Counts> course;    ///< what the exact run did in successive intervals; may be empty
};

/// One command line.
struct CalibrationInput {
  std::vector<CalibrationRun> runs;
};

/// Relative to the estimate; they add up (README.md).
struct CalibrationResidual {
  double repetition = 0;  ///< runs of the same input
  double inputs = 0;      ///< the drift between the inputs, carried on to the end of the range
  double course = 0;      ///< one input: how far parts of its run are from the whole
  double allowance = 0;   ///< what no measurement here could show
  [[nodiscard]] double total() const { return repetition + inputs + course + allowance; }
  friend bool operator==(const CalibrationResidual&, const CalibrationResidual&) = default;
};

struct ShareRange {
  double lowest = 0;
  double highest = 0;
  friend bool operator==(const ShareRange&, const ShareRange&) = default;
};

/// Shares of the executed instructions.
struct InstructionMix {
  ShareRange loads;
  ShareRange stores;
  ShareRange branches;
  ShareRange formula;  ///< what the three leave
  friend bool operator==(const InstructionMix&, const InstructionMix&) = default;
};

/// Means over the runs of an input.
struct CalibratedInput {
  double bops_formula = 0;
  double operations = 0;
  [[nodiscard]] double ratio() const { return operations / bops_formula; }
  friend bool operator==(const CalibratedInput&, const CalibratedInput&) = default;
};

struct CalibrationFit {
  /// Decoded operations per formula BOP: of what a run executes beyond the largest input. Inputs
  /// that grow tell it apart from that of the start-up; else it is the ratio of the largest input.
  double ratio = 0;
  CalibrationResidual residual;
  std::vector<CalibratedInput> inputs;  ///< in ascending order of their formula BOPs
  InstructionMix mix;
  std::uint64_t formula_from = 0;  ///< runs below or above these have errors of their own
  std::uint64_t formula_to = 0;

  /// Decoded operations of a run: those of the largest input and `ratio` for each further formula
  /// BOP; between inputs, on the line from one to the next; below all, the smallest's proportion.
  [[nodiscard]] double estimate(double bops_formula) const;
  friend bool operator==(const CalibrationFit&, const CalibrationFit&) = default;
};

/// How much more work than the largest input a run may be for the residual to hold. An input 64
/// times as large is up to 160 times the work in sorting algorithms.
inline constexpr double kCalibrationReach = 256;

inline constexpr std::uint32_t kFewestCalibrationRuns = 3;

/// Fails where a ratio means nothing: the formula of an input is not positive, or nothing was
/// decoded. Each input has at least one run.
[[nodiscard]] Result<CalibrationFit> fit_calibration(const std::vector<CalibrationInput>& inputs);

/// Of a single run.
[[nodiscard]] InstructionMix mix_of(const InstructionCounts& counts);

/// The shares in which `counts` lie further from the mix than a run of the calibrated program
/// should: loads, stores or branches by more than two percentage points of the instructions beyond
/// their range, formula BOPs by more than 5 % of their own share. One phrase for each.
[[nodiscard]] std::vector<std::string> mix_moves(const InstructionMix& mix,
                                                 const InstructionCounts& counts);

}  // namespace bops
