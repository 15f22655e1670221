#include "validate/calibration_fit.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "model/bops.hpp"
#include "report/number_text.hpp"

namespace bops {
namespace {

// The constants below are chosen from the drifts measured over the reference kernels, see
// README.md.

/// Three runs do not show the extremes.
constexpr double kRepetitionMargin = 2;
/// A drift may grow faster beyond the inputs than between them.
constexpr double kDriftMargin = 1.5;
/// The drift of a difference between inputs is known less well.
constexpr double kGrowthMargin = 2;
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
/// Of the formula's own share, which two points are much of where it is small: 7 to 50 % of the
/// instructions. Two points of 40 %, where the formula of an optimised build lies.
constexpr double kFormulaThreshold = 0.05;
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

double formula_share(const InstructionCounts& counts) {
  return counts.total == 0 ? 0 : formula_of(counts) / static_cast<double>(counts.total);
}

Result<CalibratedInput> mean_of(const CalibrationInput& input) {
  CalibratedInput mean;
  for (const CalibrationRun& run : input.runs) {
    if (bops_formula(run.production) <= 0)
      return failure("the formula of this program is " + grouped(bops_formula(run.production)) +
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

/// What inputs that grow tell of larger ones.
struct Growth {
  double ratio = 0;  ///< of the work alone: the start-up has no part in differences between inputs
  double drift = 0;  ///< logarithm of the factor by which it may move until the end of the range
};

/// From the three largest inputs, if each adds at least twice as much as the one before. All have
/// the same start-up, so that the additions grow as the work does.
std::optional<Growth> growth_of(const std::vector<CalibratedInput>& inputs) {
  if (inputs.size() < 3) return std::nullopt;
  const CalibratedInput& smaller = inputs[inputs.size() - 3];
  const CalibratedInput& middle = inputs[inputs.size() - 2];
  const CalibratedInput& largest = inputs.back();
  const double earlier = middle.bops_formula - smaller.bops_formula;
  const double later = largest.bops_formula - middle.bops_formula;
  if (earlier <= 0 || later < kSameSize * earlier || middle.operations <= smaller.operations ||
      largest.operations <= middle.operations)
    return std::nullopt;
  const double earlier_ratio = (middle.operations - smaller.operations) / earlier;
  const double later_ratio = (largest.operations - middle.operations) / later;
  const double step = later / earlier;
  const double work = later * step / (step - 1);  // of the largest input, were the growth geometric
  const double steps = std::log(kCalibrationReach * largest.bops_formula / work) / std::log(step);
  return Growth{later_ratio,
                kGrowthMargin * steps * std::abs(std::log(later_ratio / earlier_ratio))};
}

/// Without such a growth: the largest difference from the ratio of the largest input. A difference
/// between sizes is taken for a drift, and carried on to the end of the range.
double drift_of(const std::vector<CalibratedInput>& inputs) {
  const CalibratedInput& largest = inputs.back();
  double furthest = 0;
  for (const CalibratedInput& input : inputs) {
    const double growth = largest.bops_formula / input.bops_formula;
    const double steps = growth < kSameSize ? 1 : std::log(kCalibrationReach) / std::log(growth);
    const double difference = std::abs(std::log(largest.ratio() / input.ratio()));
    furthest = std::max(furthest, kDriftMargin * difference * std::max(1.0, steps));
  }
  return furthest;
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
    furthest = std::max(furthest,
                        std::abs(operations_of(part) / formula_of(part.instructions) / ratio - 1));
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
    if (const auto spread = spread_of(run.course)) largest = std::max(largest.value_or(0), *spread);
  return largest.value_or(kCourseUnknown);
}

void widen(ShareRange& range, const ShareRange& other) {
  range.lowest = std::min(range.lowest, other.lowest);
  range.highest = std::max(range.highest, other.highest);
}

InstructionMix mix_of(const std::vector<CalibrationInput>& inputs) {
  InstructionMix mix = bops::mix_of(inputs.front().runs.front().production);
  for (const CalibrationInput& input : inputs)
    for (const CalibrationRun& run : input.runs) {
      const InstructionMix other = bops::mix_of(run.production);
      widen(mix.loads, other.loads);
      widen(mix.stores, other.stores);
      widen(mix.branches, other.branches);
      widen(mix.formula, other.formula);
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
      poorest =
          std::min(poorest, formula_of(run.production) / static_cast<double>(run.production.total));
  return poorest;
}

}  // namespace

double CalibrationFit::estimate(double bops_formula) const {
  const CalibratedInput* below = nullptr;
  for (const CalibratedInput& input : inputs) {
    if (bops_formula >= input.bops_formula) {
      below = &input;
      continue;
    }
    if (below == nullptr) return input.ratio() * bops_formula;
    const double slope =
        (input.operations - below->operations) / (input.bops_formula - below->bops_formula);
    return below->operations + slope * (bops_formula - below->bops_formula);
  }
  if (below == nullptr) return ratio * bops_formula;
  return below->operations + ratio * (bops_formula - below->bops_formula);
}

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
  const auto growth = growth_of(fit.inputs);
  fit.ratio = growth ? growth->ratio : largest.ratio();
  fit.residual.inputs = std::expm1(growth ? growth->drift : drift_of(fit.inputs));
  if (inputs.size() == 1) fit.residual.course = course_spread(inputs.front());
  fit.residual.allowance = unseen_by(inputs.size()) / poorest_yield(inputs);
  fit.mix = mix_of(inputs);
  fit.formula_from = static_cast<std::uint64_t>(fit.inputs.front().bops_formula * kSmallestOfRange);
  fit.formula_to = static_cast<std::uint64_t>(largest.bops_formula * kCalibrationReach);
  return fit;
}

InstructionMix mix_of(const InstructionCounts& counts) {
  const auto alone = [](double now) { return ShareRange{now, now}; };
  return {alone(share(counts.loads, counts)), alone(share(counts.stores, counts)),
          alone(share(counts.branches, counts)), alone(formula_share(counts))};
}

std::vector<std::string> mix_moves(const InstructionMix& mix, const InstructionCounts& counts) {
  std::vector<std::string> moves;
  const auto compare = [&](const char* name, const ShareRange& range, double now, double below,
                           double above) {
    if (now >= range.lowest - below && now <= range.highest + above) return;
    moves.push_back(std::string(name) + " are " + percent(now, 1) + " of the instructions, " +
                    percent(range.lowest, 1) + " to " + percent(range.highest, 1) +
                    " when calibrated");
  };
  const auto part = [&](const char* name, const ShareRange& range, std::uint64_t count) {
    compare(name, range, share(count, counts), kMixThreshold, kMixThreshold);
  };
  part("loads", mix.loads, counts.loads);
  part("stores", mix.stores, counts.stores);
  part("branches", mix.branches, counts.branches);
  compare("formula BOPs", mix.formula, formula_share(counts),
          kFormulaThreshold * mix.formula.lowest, kFormulaThreshold * mix.formula.highest);
  return moves;
}

}  // namespace bops
