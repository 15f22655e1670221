// What a validation finds: the table, the calibrations, and a verdict for each claim.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/run_counts.hpp"
#include "validate/arithmetic.hpp"
#include "validate/bench.hpp"
#include "validate/measurements.hpp"
#include "validate/plan.hpp"
#include "validate/rules.hpp"

namespace bops::validate {

/// A kernel of a build. Counts are of the first seed, all its rounds; errors are over all seeds.
struct Row {
  std::string kernel;
  std::string build;
  std::string style;
  std::int64_t size = 0;
  bool judged = false;
  std::string missing;             ///< why there are no numbers; empty: there are
  std::vector<std::string> wrong;  ///< expectations not met
  std::uint64_t source = 0;
  InstructionCounts counted;
  std::optional<InstructionCounts> exact;
  std::optional<std::uint64_t> decoded;  ///< operations, by the exact engine
  Interval error;                        ///< of the formula
  std::optional<double> model_error;     ///< means over the seeds
  std::optional<double> counter_error;
  std::optional<double> amplification;
  std::optional<double> largest_count_error;
  std::optional<Interval> decoded_error;
};

/// Source operations per category, of the first seed.
struct SourceRow {
  std::string kernel;
  std::string style;
  std::int64_t size = 0;
  Tallies tallies;
  std::uint64_t total = 0;
};

/// The factor of a kernel and build, tried on another input.
struct CalibrationRow {
  std::string kernel;
  std::string build;
  std::string input;  ///< "64 x work"
  std::int64_t size = 0;
  std::string distribution;
  std::uint64_t threads = 1;
  bool skewed = false;  ///< another distribution than the base's
  /// How its loads, stores and branches lie outside the base's mix (calibration_fit, mix_moves()):
  /// `bops run` warns of such a run's estimate.
  std::vector<std::string> mix_moves;
  std::string missing;
  double factor = 0;  ///< source operations per formula BOP, on the base
  double drift = 0;   ///< calibrated formula against source
  /// Larger inputs and more threads always; another distribution unless the mix has moved.
  [[nodiscard]] bool judged() const { return !skewed || mix_moves.empty(); }
};

struct DecodedRow {
  Row row;  ///< its source is weighed by the rules named here
  std::string rules;
  std::string why;
};

enum class Judgement : std::uint8_t { kHolds, kFails, kNotMeasured };

struct Verdict {
  std::string claim;
  std::string says;  ///< what is claimed, one sentence
  Judgement judgement = Judgement::kNotMeasured;
  std::uint64_t judged = 0;     ///< how many numbers
  std::uint64_t warned = 0;     ///< not judged: bops warns that such an input is not covered
  std::optional<double> worst;  ///< the judged error farthest from 0
  std::string worst_where;
  std::vector<std::string> offenders;  ///< outside the bound, or wrong
  std::vector<std::string> remarks;    ///< shown, not judged; not settled; not measured
};

/// An estimate for a published total; nothing of it was run at that size.
struct PaperEstimate {
  PaperRow row;
  std::uint64_t operations = 0;       ///< extrapolated
  std::optional<double> emulated_ns;  ///< how long a run under this collector would take
};

struct Validation {
  std::vector<Row> rows;
  std::vector<SourceRow> sources;
  std::vector<CalibrationRow> calibrations;
  std::vector<DecodedRow> decoded;
  std::vector<Verdict> verdicts;
  std::vector<PaperEstimate> paper;
  std::vector<std::string> absent_builds;
};

/// Measures all and judges all. Fails if bops itself, or bops-workload, could not do it.
[[nodiscard]] Result<Validation> validate(const Rules& rules, const Choices& choices,
                                          const Bench& bench);

}  // namespace bops::validate
