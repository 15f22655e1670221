#include "validate/describe.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "model/bops.hpp"
#include "report/escape.hpp"
#include "report/number_text.hpp"
#include "validate/claims.hpp"

namespace bops::validate {
namespace {

std::string ratio_text(double ratio) {
  std::array<char, 40> text{};
  (void)std::snprintf(text.data(), text.size(), "%.3f", ratio);
  return text.data();
}

std::string bound_text(double bound) {
  std::array<char, 40> text{};
  (void)std::snprintf(text.data(), text.size(), "%g %%", bound * 100);
  return text.data();
}

std::string error_or_dash(const std::optional<double>& error) {
  return error ? error_text(*error) : "-";
}

std::string interval_text(const Interval& interval) {
  std::string text = error_text(interval.mean);
  if (interval.half_width) text += " +/-" + error_text(*interval.half_width).substr(1);
  return text;
}

std::string joined(const std::vector<std::string>& list, const std::string& separator) {
  std::string text;
  for (const std::string& item : list) text += (text.empty() ? "" : separator) + item;
  return text;
}

std::string seeds_text(const Profile& profile) {
  std::vector<std::string> seeds;
  for (const std::uint64_t seed : profile.seeds) seeds.push_back(std::to_string(seed));
  return joined(seeds, ", ");
}

std::string weights_text(const Weighting& weighting) {
  std::vector<std::string> weights;
  for (const auto& [category, weight] : weighting.weights)
    weights.push_back(category + " " + std::to_string(weight));
  return weighting.name + ": " + joined(weights, ", ");
}

std::string counter_text(const Bench& bench) {
  if (bench.counts_exactly)
    return bench.collector +
           " is an exact engine: its counter part is 0 by construction (same "
           "engine)";
  if (bench.exact_engine.empty())
    return "there is no exact engine here: the error of " + bench.collector + " cannot be split";
  return bench.collector + " against " + bench.exact_engine;
}

Table error_table(const Validation& validation) {
  Table table{
      "Source, formula and decoded operations, one execution of the kernel times its rounds",
      "counts are of the first seed; errors and ratios are means over the seeds, +/- 95 %",
      {{"kernel", false},
       {"build", false},
       {"size"},
       {"source BOPs"},
       {"formula BOPs"},
       {"error"},
       {"model"},
       {"counter"},
       {"amplification"},
       {"decoded BOPs"},
       {"decoded/source"},
       {"", false}},
      {}};
  for (const Row& row : validation.rows) {
    if (!row.missing.empty()) {
      table.rows.push_back({row.kernel, row.build, grouped(row.size), "not measured", "", "", "",
                            "", "", "", "", printable(row.missing)});
      continue;
    }
    std::vector<std::string> remarks = row.wrong;
    if (!row.judged) remarks.insert(remarks.begin(), "hold-out");
    table.rows.push_back({row.kernel, row.build, grouped(row.size), grouped(row.source),
                          grouped(bops_formula(row.counted)), interval_text(row.error),
                          error_or_dash(row.model_error), error_or_dash(row.counter_error),
                          row.amplification ? ratio_text(*row.amplification) : "-",
                          row.decoded ? grouped(*row.decoded) : "not measured",
                          row.decoded_error ? ratio_text(1 + row.decoded_error->mean) : "-",
                          printable(joined(remarks, "; "))});
  }
  return table;
}

Table source_table(const Validation& validation, const Weighting& weighting) {
  Table table{"Source operations by category, before their weights",
              "",
              {{"kernel", false}, {"style", false}, {"size"}},
              {}};
  if (validation.sources.empty()) return table;
  for (const auto& [category, weight] : weighting.weights)
    if (validation.sources.front().tallies.contains(category))
      table.columns.push_back({category + " x" + std::to_string(weight)});
  table.columns.push_back({"source BOPs"});
  for (const SourceRow& source : validation.sources) {
    std::vector<std::string> cells = {source.kernel, source.style, grouped(source.size)};
    for (const auto& [category, count] : source.tallies) cells.push_back(grouped(count));
    cells.push_back(grouped(source.total));
    table.rows.push_back(std::move(cells));
  }
  return table;
}

std::string calibration_remark(const CalibrationRow& row) {
  if (row.mix_moves.empty()) return "";
  return (row.judged() ? "mix moved: " : "mix moved, not covered: ") + joined(row.mix_moves, "; ");
}

Table calibration_table(const Validation& validation) {
  Table table{"Calibrated: one factor per kernel and build, from the base to other inputs",
              "factor: source operations per formula BOP; drift: calibrated formula against source",
              {{"kernel", false},
               {"build", false},
               {"factor"},
               {"input", false},
               {"size"},
               {"drift"},
               {"", false}},
              {}};
  for (const CalibrationRow& row : validation.calibrations)
    table.rows.push_back(
        {row.kernel, row.build, row.missing.empty() ? ratio_text(row.factor) : "-", row.input,
         grouped(row.size), row.missing.empty() ? error_text(row.drift) : "not measured",
         row.missing.empty() ? printable(calibration_remark(row)) : printable(row.missing)});
  return table;
}

Table decoded_table(const Validation& validation) {
  Table table{"Decoded operations against source, under the rules of each build",
              "",
              {{"kernel", false},
               {"build", false},
               {"rules", false},
               {"size"},
               {"source BOPs"},
               {"decoded BOPs"},
               {"error"},
               {"", false}},
              {}};
  for (const DecodedRow& decoded : validation.decoded) {
    const Row& row = decoded.row;
    const bool measured = row.missing.empty() && row.decoded_error;
    table.rows.push_back({row.kernel, row.build, decoded.rules, grouped(row.size),
                          row.source != 0 ? grouped(row.source) : "not measured",
                          row.decoded ? grouped(*row.decoded) : "not measured",
                          measured ? interval_text(*row.decoded_error) : "-",
                          row.judged ? "" : "not judged: " + printable(decoded.why)});
  }
  return table;
}

Table paper_table(const Validation& validation, const Bench& bench) {
  Table table{"The published totals, and the nearest plausible problems",
              "extrapolated from small runs, not executed; never pass or fail",
              {{"published", false},
               {"GBOP"},
               {"estimate"},
               {"against it"},
               {"problem", false},
               {"a run with " + bench.collector}},
              {}};
  for (const PaperEstimate& estimate : validation.paper) {
    const auto operations = static_cast<double>(estimate.operations);
    table.rows.push_back(
        {estimate.row.name, grouped_rounded(estimate.row.published_gbop),
         with_prefix(operations, "BOP"),
         error_text(operations / (estimate.row.published_gbop * 1e9) - 1), estimate.row.why,
         estimate.emulated_ns ? "about " + ratio_text(*estimate.emulated_ns / 3.6e12) + " h"
                              : "-"});
  }
  return table;
}

void add_verdict(const Verdict& verdict, const std::string& claim, double bound, Table& table) {
  std::string summary = std::string(to_string(verdict.judgement));
  if (verdict.claim == claim) summary += " (decides)";
  std::string detail = std::to_string(verdict.judged) + " judged";
  if (verdict.warned != 0)
    detail += ", " + std::to_string(verdict.warned) + " warned of and not covered";
  if (verdict.worst)
    detail += ", worst " + error_text(*verdict.worst) + " of " + bound_text(bound) + ": " +
              verdict.worst_where;
  table.rows.push_back({verdict.claim, summary, verdict.says});
  table.rows.push_back({"", "", detail});
  for (const std::string& offender : verdict.offenders)
    table.rows.push_back({"", "", "outside: " + printable(offender)});
  for (const std::string& remark : verdict.remarks)
    table.rows.push_back({"", "", printable(remark)});
}

}  // namespace

Document describe(const Validation& validation, const Rules& rules, const Choices& choices,
                  const Bench& bench, const std::string& claim) {
  Document document;
  document.title =
      "bops validate: the formula total - loads - stores - branches against the source";
  std::vector<std::string> builds;
  for (const BuildRules& build : rules.builds)
    builds.push_back(build.name + " (" + build.flags + ")");
  document.facts = {
      {"collector", bench.collector + (bench.emulates ? ", which emulates" : "")},
      {"counter part", counter_text(bench)},
      {"rules", printable(weights_text(choices.weighting))},
      {"rules file", "version " + std::to_string(rules.version) + ": " + printable(rules.note)},
      {"builds", printable(joined(builds, "; "))},
      {"seeds", seeds_text(choices.quick ? rules.quick : rules.full)},
      {"bound", bound_text(choices.bound)},
      {"shown", std::string(kShows)},
      {"not shown", std::string(kDoesNotShow)}};
  document.tables = {error_table(validation), source_table(validation, choices.weighting),
                     calibration_table(validation), decoded_table(validation)};
  if (choices.paper_scale) document.tables.push_back(paper_table(validation, bench));
  Table verdicts{"Verdicts", "", {{"claim", false}, {"", false}, {"", false}}, {}};
  for (const Verdict& verdict : validation.verdicts)
    add_verdict(verdict, claim, choices.bound, verdicts);
  document.tables.push_back(std::move(verdicts));
  for (const std::string& build : validation.absent_builds)
    document.warnings.push_back({"build_absent", "the build " + build + " is not there"});
  return document;
}

}  // namespace bops::validate
