#include "report/json.hpp"

#include <nlohmann/json.hpp>

#include "model/bops.hpp"
#include "model/version.hpp"
#include "report/escape.hpp"
#include "validate/claims.hpp"
#include "validate/describe.hpp"

namespace bops::validate {
namespace {

using Json = nlohmann::ordered_json;

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json text_or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(utf8_text(text));
}

Json texts(const std::vector<std::string>& list) {
  Json array = Json::array();
  for (const std::string& text : list) array.push_back(utf8_text(text));
  return array;
}

Json interval_json(const Interval& interval) {
  return {{"mean", interval.mean}, {"half_width_95", or_null(interval.half_width)}};
}

Json counts_json(const InstructionCounts& counts) {
  return {{"instructions", counts.total},
          {"loads", counts.loads},
          {"stores", counts.stores},
          {"branches", counts.branches},
          {"bops_formula", bops_formula(counts)}};
}

Json row_json(const Row& row) {
  const bool measured = row.missing.empty();
  return {{"kernel", row.kernel},
          {"build", row.build},
          {"style", row.style},
          {"size", row.size},
          {"judged", row.judged},
          {"missing", text_or_null(row.missing)},
          {"wrong", texts(row.wrong)},
          {"source", measured ? Json(row.source) : Json(nullptr)},
          {"counted", measured ? counts_json(row.counted) : Json(nullptr)},
          {"exact", row.exact ? counts_json(*row.exact) : Json(nullptr)},
          {"decoded", or_null(row.decoded)},
          {"error", measured ? interval_json(row.error) : Json(nullptr)},
          {"model_error", or_null(row.model_error)},
          {"counter_error", or_null(row.counter_error)},
          {"amplification", or_null(row.amplification)},
          {"largest_count_error", or_null(row.largest_count_error)},
          {"decoded_error", row.decoded_error ? interval_json(*row.decoded_error) : Json(nullptr)}};
}

Json weighting_json(const Weighting& weighting) {
  Json weights = Json::object();
  for (const auto& [category, weight] : weighting.weights) weights[utf8_text(category)] = weight;
  return {
      {"name", utf8_text(weighting.name)}, {"why", utf8_text(weighting.why)}, {"weights", weights}};
}

Json rows_json(const Validation& validation) {
  Json rows = Json::array();
  for (const Row& row : validation.rows) rows.push_back(row_json(row));
  return rows;
}

Json sources_json(const Validation& validation) {
  Json sources = Json::array();
  for (const SourceRow& source : validation.sources) {
    Json tallies = Json::object();
    for (const auto& [category, count] : source.tallies) tallies[utf8_text(category)] = count;
    sources.push_back({{"kernel", source.kernel},
                       {"style", source.style},
                       {"size", source.size},
                       {"tallies", tallies},
                       {"total", source.total}});
  }
  return sources;
}

Json calibrations_json(const Validation& validation) {
  Json rows = Json::array();
  for (const CalibrationRow& row : validation.calibrations) {
    const bool measured = row.missing.empty();
    rows.push_back({{"kernel", row.kernel},
                    {"build", row.build},
                    {"input", row.input},
                    {"size", row.size},
                    {"distribution", row.distribution},
                    {"threads", row.threads},
                    {"judged", row.judged()},
                    {"mix_moves", texts(row.mix_moves)},
                    {"missing", text_or_null(row.missing)},
                    {"factor", measured ? Json(row.factor) : Json(nullptr)},
                    {"drift", measured ? Json(row.drift) : Json(nullptr)}});
  }
  return rows;
}

Json decoded_json(const Validation& validation) {
  Json rows = Json::array();
  for (const DecodedRow& decoded : validation.decoded) {
    Json row = row_json(decoded.row);
    row["rules"] = utf8_text(decoded.rules);
    row["why"] = utf8_text(decoded.why);
    rows.push_back(std::move(row));
  }
  return rows;
}

Json verdicts_json(const Validation& validation, const std::string& claim) {
  Json verdicts = Json::array();
  for (const Verdict& verdict : validation.verdicts)
    verdicts.push_back({{"claim", verdict.claim},
                        {"says", verdict.says},
                        {"verdict", to_string(verdict.judgement)},
                        {"decides", verdict.claim == claim},
                        {"judged", verdict.judged},
                        {"warned", verdict.warned},
                        {"worst", or_null(verdict.worst)},
                        {"worst_where", text_or_null(verdict.worst_where)},
                        {"offenders", texts(verdict.offenders)},
                        {"remarks", texts(verdict.remarks)}});
  return verdicts;
}

Json paper_json(const Validation& validation) {
  Json rows = Json::array();
  for (const PaperEstimate& estimate : validation.paper)
    rows.push_back({{"name", utf8_text(estimate.row.name)},
                    {"kernel", utf8_text(estimate.row.kernel)},
                    {"build", utf8_text(estimate.row.build)},
                    {"rules", utf8_text(estimate.row.rules)},
                    {"size", estimate.row.size},
                    {"repeats", estimate.row.repeats},
                    {"published_gbop", estimate.row.published_gbop},
                    {"estimated_operations", estimate.operations},
                    {"estimated_run_ns", or_null(estimate.emulated_ns)},
                    {"why", utf8_text(estimate.row.why)}});
  return rows;
}

}  // namespace

Json to_json(const Validation& validation, const Rules& rules, const Choices& choices,
             const Bench& bench, const std::string& claim, const HostIdentity& host) {
  Json builds = Json::array();
  for (const BuildRules& build : rules.builds)
    builds.push_back({{"name", utf8_text(build.name)},
                      {"style", utf8_text(build.style)},
                      {"flags", utf8_text(build.flags)}});
  Json document;
  document["schema"] = "bops.validate.v1";
  document["tool"] = {{"version", kVersion}};
  document["host"] = bops::to_json(host);
  document["collector"] = {{"name", bench.collector},
                           {"counts_exactly", bench.counts_exactly},
                           {"exact_engine", text_or_null(bench.exact_engine)}};
  document["bound"] = choices.bound;
  document["quick"] = choices.quick;
  document["seeds"] = (choices.quick ? rules.quick : rules.full).seeds;
  document["rounds"] = bench.counts_exactly ? rules.rounds : rules.rounds_inexact;
  document["rules_file"] = {{"version", rules.version}, {"note", utf8_text(rules.note)}};
  document["rules"] = weighting_json(choices.weighting);
  document["builds"] = std::move(builds);
  document["absent_builds"] = texts(validation.absent_builds);
  document["shown"] = kShows;
  document["not_shown"] = kDoesNotShow;
  document["rows"] = rows_json(validation);
  document["sources"] = sources_json(validation);
  document["calibrations"] = calibrations_json(validation);
  document["decoded"] = decoded_json(validation);
  document["paper_scale"] = paper_json(validation);
  document["verdicts"] = verdicts_json(validation, claim);
  return document;
}

}  // namespace bops::validate
