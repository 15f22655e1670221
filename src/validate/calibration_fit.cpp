#include "validate/calibration_fit.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>

#include "model/bops.hpp"
#include "report/number_text.hpp"

namespace bops {
namespace {

// The constants below are chosen from the drifts measured over the reference kernels, see README.md.

/// Three runs do not show the extremes.
constexpr double kRepetitionMargin = 2;
/// A drift may grow faster beyond the inputs than between them.
constexpr double kDriftMargin = 1.5;
/// The drift of a difference between inputs is known less well.
constexpr double kMarginalDriftMargin = 2;
/// Inputs closer than this factor of work differ in content rather than in size.
constexpr double kSameSize = 2;
/// Part of the instructions that other inputs may execute differently. The poorer the formula is in
/// instructions, the more it moves for it.
constexpr double kUnseenByOneInput = 0.1;
/// Two inputs show a drift; not whether it grows, or hides behind the start-up of the smaller.
constexpr double kUnseenByTwoInputs = 0.05;
constexpr double kUnseenByMoreInputs = 0.01;
/// A part of the course is at least this much of the run: a smaller one cannot become most of a
/// larger run unseen.
constexpr double kSmallestPart = 1.0 / 8;
/// The error of a calibration by one input whose course is not known.
constexpr double kCourseUnknown = 1;
constexpr double kMixThreshold = 0.02;
/// Runs of the smallest input itself are not all the same.
constexpr double kSmallestOfRange = 0.9;

double formula_of(const InstructionCounts& counts) {
  return static_cast<double>(bops_formula(counts));
}

double operations_of(const Counts& counts) {
  return counts.operations ? static_cast<double>(counts.operations->total()) : 0;
}

double share(std::uint64_t part, const InstructionCounts& counts) {
  return counts.total == 0 ? 0 : static_cast<double>(part) / static_cast<double>(counts.total);
}

Result<CalibratedInput> mean_of(const CalibrationInput& input) {
  CalibratedInput mean;
  for (const CalibrationRun& run : input.runs) {
    if (bops_formula(run.production) <= 0)
      return failure("the formula of this program is " +
                         grouped(bops_formula(run.production)) +
                         ", which is not positive: no ratio to it means anything",
                     "use an exact collector for this program");
    if (!run.exact.operations || run.exact.operations->total() == 0)
      return failure("no operations were decoded in this run", "calibrate a run that does work");
    mean.bops_formula += formula_of(run.production);
    mean.operations += operations_of(run.exact);
  }
  const auto runs = static_cast<double>(input.runs.size());
  mean.bops_formula /= runs;
  mean.operations /= runs;
  return mean;
}

double repetition(const CalibrationInput& input, const CalibratedInput& mean) {
  double furthest = 0;
  for (const CalibrationRun& run : input.runs) {
    const double ratio = operations_of(run.exact) / formula_of(run.production);
    furthest = std::max(furthest, std::abs(ratio / mean.ratio() - 1));
  }
  return kRepetitionMargin * furthest;
}

/// Logarithm of the factor by which the ratio may move until the end of the range, if it goes on as
/// from `smaller` to `larger`.
double carried_on(double drift, const CalibratedInput& smaller, const CalibratedInput& larger) {
  return std::abs(drift) * std::log(kCalibrationReach) /
         std::log(larger.bops_formula / smaller.bops_formula);
}

/// The ratio of what `larger` executes beyond `smaller`, in which start-up has no part. Nothing if
/// larger inputs do not execute more of both.
std::optional<double> marginal_ratio(const CalibratedInput& smaller,
                                     const CalibratedInput& larger) {
  if (larger.operations <= smaller.operations) return std::nullopt;
  return (larger.operations - smaller.operations) / (larger.bops_formula - smaller.bops_formula);
}

/// `chain` descends in size. Two sizes show a drift of the ratio; three show the ratio of the work
/// alone, and its drift.
double drift_of(const std::vector<CalibratedInput>& chain) {
  if (chain.size() < 2) return 0;
  const double ratio = chain[0].ratio();
  const double drift = std::log(ratio / chain[1].ratio());
  if (chain.size() > 2) {
    const auto later = marginal_ratio(chain[1], chain[0]);
    const auto earlier = marginal_ratio(chain[2], chain[1]);
    if (later && earlier)
      return std::abs(std::log(*later / ratio)) +
             kMarginalDriftMargin *
                 carried_on(std::log(*later / *earlier), chain[1], chain[0]);
  }
  return kDriftMargin * carried_on(drift, chain[1], chain[0]);
}

/// How far the ratio of larger inputs may be from that of the largest of these, in ascending order.
double drift_over(const std::vector<CalibratedInput>& inputs) {
  const CalibratedInput& largest = inputs.back();
  std::vector<CalibratedInput> chain{largest};
  double scatter = 0;  // of inputs as large as the largest
  for (auto input = std::next(inputs.rbegin()); input != inputs.rend(); ++input) {
    if (largest.bops_formula < kSameSize * input->bops_formula)
      scatter = std::max(scatter, std::abs(std::log(input->ratio() / largest.ratio())));
    if (chain.back().bops_formula >= kSameSize * input->bops_formula) chain.push_back(*input);
  }
  return std::exp(std::max(kDriftMargin * scatter, drift_of(chain))) - 1;
}

/// How far the parts of a run are from the whole in their ratio. What a larger run does more of is
/// one of these parts, or like it: its start-up and its work, for one, are different parts. Nothing
/// if the run was too short to see parts of it.
std::optional<double> spread_of(const std::vector<Counts>& course) {
  Counts whole = Counts::exact_zero();
  for (const Counts& step : course) whole += step;
  const double formula = formula_of(whole.instructions);
  if (formula <= 0 || operations_of(whole) == 0) return std::nullopt;
  const double ratio = operations_of(whole) / formula;
  double furthest = 0;
  std::size_t parts = 0;
  Counts part = Counts::exact_zero();
  for (const Counts& step : course) {
    part += step;
    if (formula_of(part.instructions) < kSmallestPart * formula) continue;
    furthest = std::max(furthest, std::abs(operations_of(part) /
                                               formula_of(part.instructions) / ratio - 1));
    part = Counts::exact_zero();
    ++parts;
  }
  if (parts < 2) return std::nullopt;
  return furthest;
}

/// The intervals of each run cut it elsewhere: the largest spread of all.
double course_spread(const CalibrationInput& input) {
  std::optional<double> largest;
  for (const CalibrationRun& run : input.runs)
    if (const auto spread = spread_of(run.course))
      largest = std::max(largest.value_or(0), *spread);
  return largest.value_or(kCourseUnknown);
}

void widen(ShareRange& range, double value, bool first) {
  range.lowest = first ? value : std::min(range.lowest, value);
  range.highest = first ? value : std::max(range.highest, value);
}

InstructionMix mix_of(const std::vector<CalibrationInput>& inputs) {
  InstructionMix mix;
  bool first = true;
  for (const CalibrationInput& input : inputs)
    for (const CalibrationRun& run : input.runs) {
      const InstructionCounts& counts = run.production;
      widen(mix.loads, share(counts.loads, counts), first);
      widen(mix.stores, share(counts.stores, counts), first);
      widen(mix.branches, share(counts.branches, counts), first);
      first = false;
    }
  return mix;
}

double unseen_by(std::size_t inputs) {
  if (inputs == 1) return kUnseenByOneInput;
  return inputs == 2 ? kUnseenByTwoInputs : kUnseenByMoreInputs;
}

/// Formula BOPs per instruction: the poorest of all runs.
double poorest_yield(const std::vector<CalibrationInput>& inputs) {
  double poorest = 1;
  for (const CalibrationInput& input : inputs)
    for (const CalibrationRun& run : input.runs)
      poorest = std::min(poorest, formula_of(run.production) /
                                      static_cast<double>(run.production.total));
  return poorest;
}

}  // namespace

Result<CalibrationFit> fit_calibration(const std::vector<CalibrationInput>& inputs) {
  CalibrationFit fit;
  for (const CalibrationInput& input : inputs) {
    const auto mean = mean_of(input);
    if (!mean) return tl::unexpected(mean.error());
    fit.residual.repetition = std::max(fit.residual.repetition, repetition(input, *mean));
    fit.inputs.push_back(*mean);
  }
  std::sort(fit.inputs.begin(), fit.inputs.end(),
            [](const CalibratedInput& a, const CalibratedInput& b) {
              return a.bops_formula < b.bops_formula;
            });
  const CalibratedInput& largest = fit.inputs.back();
  fit.ratio = largest.ratio();
  fit.residual.inputs = drift_over(fit.inputs);
  if (inputs.size() == 1) fit.residual.course = course_spread(inputs.front());
  fit.residual.allowance = unseen_by(inputs.size()) / poorest_yield(inputs);
  fit.mix = mix_of(inputs);
  fit.formula_from =
      static_cast<std::uint64_t>(fit.inputs.front().bops_formula * kSmallestOfRange);
  fit.formula_to = static_cast<std::uint64_t>(largest.bops_formula * kCalibrationReach);
  return fit;
}

std::vector<std::string> mix_moves(const InstructionMix& mix, const InstructionCounts& counts) {
  std::vector<std::string> moves;
  const auto compare = [&](const char* name, const ShareRange& range, std::uint64_t part) {
    const double now = share(part, counts);
    if (now >= range.lowest - kMixThreshold && now <= range.highest + kMixThreshold) return;
    moves.push_back(std::string(name) + " are " + percent(now, 1) + " of the instructions, " +
                    percent(range.lowest, 1) + " to " + percent(range.highest, 1) +
                    " when calibrated");
  };
  compare("loads", mix.loads, counts.loads);
  compare("stores", mix.stores, counts.stores);
  compare("branches", mix.branches, counts.branches);
  return moves;
}

}  // namespace bops
