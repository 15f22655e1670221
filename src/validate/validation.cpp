#include "validate/validation.hpp"

#include <algorithm>
#include <functional>

#include "model/bops.hpp"
#include "validate/calibration_fit.hpp"
#include "validate/claims.hpp"
#include "validate/paper_scale.hpp"

namespace bops::validate {
namespace {

std::optional<double> mean(const std::vector<double>& values) {
  if (values.empty()) return std::nullopt;
  return confidence_interval(values).mean;
}

void keep(std::vector<double>& values, const std::optional<double>& value) {
  if (value) values.push_back(*value);
}

/// What the seeds of a row have in common.
struct Errors {
  std::vector<double> total, model, counter, amplification, count, decoded;
};

void finish(Row& row, const Errors& errors) {
  if (!row.missing.empty()) return;
  row.error = confidence_interval(errors.total);
  row.model_error = mean(errors.model);
  row.counter_error = mean(errors.counter);
  row.amplification = mean(errors.amplification);
  if (!errors.count.empty())
    row.largest_count_error = *std::max_element(errors.count.begin(), errors.count.end());
  if (!errors.decoded.empty()) row.decoded_error = confidence_interval(errors.decoded);
}

Result<Row> row_of(const PlannedRow& planned, const Measurements& measurements,
                   const Weighting& weighting) {
  Row row{planned.kernel.name,
          planned.build.name,
          planned.build.style,
          planned.points.front().size,
          planned.kernel.judged,
          "",
          {},
          0,
          {},
          {},
          {},
          {},
          {},
          {},
          {},
          {},
          {}};
  Errors errors;
  for (const Point& point : planned.points) {
    const Measurement& measured = measurements.at(point);
    row.wrong.insert(row.wrong.end(), measured.wrong.begin(), measured.wrong.end());
    const auto source = weigh(measured.tallies, weighting);
    if (!source) return tl::unexpected(source.error());
    row.missing = measured.missing;
    if (row.missing.empty() && *source == 0) row.missing = "its source operations weigh nothing";
    if (!row.missing.empty()) break;
    const bool first = errors.total.empty();
    std::optional<InstructionCounts> exact;
    if (measured.exact) exact = measured.exact->instructions;
    const ErrorSplit split = split_error(measured.counted.instructions, exact, *source);
    errors.total.push_back(split.total);
    keep(errors.model, split.model);
    keep(errors.counter, split.counter);
    keep(errors.amplification, split.amplification);
    keep(errors.count, split.largest_count_error);
    std::optional<std::uint64_t> decoded;
    if (measured.exact) decoded = measured.exact->decoded;
    if (decoded)
      errors.decoded.push_back(relative_error(static_cast<std::int64_t>(*decoded), *source));
    if (!first) continue;
    row.source = *source;
    row.counted = measured.counted.instructions;
    row.exact = exact;
    row.decoded = decoded;
  }
  std::sort(row.wrong.begin(), row.wrong.end());
  row.wrong.erase(std::unique(row.wrong.begin(), row.wrong.end()), row.wrong.end());
  finish(row, errors);
  return row;
}

/// Source operations per formula BOP of a point; nothing, and why, where it has none.
struct Ratio {
  std::string missing;
  double source_per_formula = 0;
};

Result<Ratio> ratio_of(const Point& point, const Measurements& measurements,
                       const Weighting& weighting) {
  const Measurement& measured = measurements.at(point);
  if (!measured.missing.empty()) return Ratio{measured.missing, 0};
  const auto source = weigh(measured.tallies, weighting);
  if (!source) return tl::unexpected(source.error());
  const std::int64_t formula = bops_formula(measured.counted.instructions);
  if (formula <= 0 || *source == 0) return Ratio{"its formula is not positive: no factor", 0};
  return Ratio{"", static_cast<double>(*source) / static_cast<double>(formula)};
}

Result<void> add_calibration(const PlannedCalibration& planned, const Measurements& measurements,
                             const Weighting& weighting, std::vector<CalibrationRow>& rows) {
  const auto base = ratio_of(planned.base, measurements, weighting);
  if (!base) return tl::unexpected(base.error());
  for (const auto& input : planned.inputs) {
    const auto tried = ratio_of(input.point, measurements, weighting);
    if (!tried) return tl::unexpected(tried.error());
    CalibrationRow row{planned.kernel.name,
                       planned.build.name,
                       input.label,
                       input.point.size,
                       input.point.distribution,
                       input.point.threads,
                       input.skewed,
                       {},
                       base->missing.empty() ? tried->missing : base->missing,
                       base->source_per_formula,
                       0};
    if (row.missing.empty()) {
      row.drift = base->source_per_formula / tried->source_per_formula - 1;
      row.mix_moves = mix_moves(mix_of(measurements.at(planned.base).counted.instructions),
                                measurements.at(input.point).counted.instructions);
    }
    rows.push_back(std::move(row));
  }
  return {};
}

void add_source(const PlannedRow& planned, const Row& row, const Measurements& measurements,
                std::vector<SourceRow>& sources) {
  const auto same = [&](const SourceRow& source) {
    return source.kernel == row.kernel && source.style == row.style;
  };
  if (std::any_of(sources.begin(), sources.end(), same) || row.source == 0) return;
  sources.push_back({row.kernel, row.style, row.size,
                     measurements.at(planned.points.front()).tallies, row.source});
}

Result<void> add_decoded(const PlannedDecoded& planned, const Measurements& measurements,
                         const Rules& rules, const Weighting& chosen,
                         std::vector<DecodedRow>& rows) {
  const Weighting* weighting = &chosen;
  if (!planned.rules.rules.empty()) weighting = find_weighting(rules, planned.rules.rules);
  if (weighting == nullptr)
    return failure(
        "the claim decoded names the rules " + planned.rules.rules + ", which are not there",
        "mend the file of rules");
  auto row = row_of(planned.row, measurements, *weighting);
  if (!row) return tl::unexpected(row.error());
  row->judged = row->judged && !planned.departs();
  rows.push_back({std::move(*row), weighting->name,
                  planned.departs() ? planned.rules.compound_departs : planned.rules.why});
  return {};
}

}  // namespace

Result<Validation> validate(const Rules& rules, const Choices& choices, const Bench& bench) {
  const auto plan = make_plan(rules, choices, bench);
  if (!plan) return tl::unexpected(plan.error());
  const auto measurements = measure(plan->points(), rules, bench);
  if (!measurements) return tl::unexpected(measurements.error());
  Validation validation;
  for (const PlannedRow& planned : plan->rows) {
    auto row = row_of(planned, *measurements, choices.weighting);
    if (!row) return tl::unexpected(row.error());
    add_source(planned, *row, *measurements, validation.sources);
    validation.rows.push_back(std::move(*row));
  }
  for (const PlannedCalibration& planned : plan->calibrations)
    if (auto added =
            add_calibration(planned, *measurements, choices.weighting, validation.calibrations);
        !added)
      return tl::unexpected(added.error());
  for (const PlannedDecoded& planned : plan->decoded)
    if (auto added =
            add_decoded(planned, *measurements, rules, choices.weighting, validation.decoded);
        !added)
      return tl::unexpected(added.error());
  for (const BuildRules& build : rules.builds)
    if (std::find(bench.built.begin(), bench.built.end(), build.name) == bench.built.end())
      validation.absent_builds.push_back(build.name);
  validation.verdicts = judge(validation, rules, choices.bound);
  if (choices.paper_scale) {
    auto paper = estimate_paper_scale(rules, *plan, *measurements);
    if (!paper) return tl::unexpected(paper.error());
    validation.paper = std::move(*paper);
  }
  return validation;
}

}  // namespace bops::validate
