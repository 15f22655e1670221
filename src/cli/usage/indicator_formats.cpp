#include "cli/usage/indicator_formats.hpp"

#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

#include "report/document.hpp"
#include "report/escape.hpp"
#include "report/number_text.hpp"
#include "report/text.hpp"

namespace bops {
namespace {

using Json = nlohmann::ordered_json;

/// The shortest text that reads back as the same number.
std::string shortest(double value) {
  std::array<char, 32> text{};
  const auto [end, problem] = std::to_chars(text.data(), text.data() + text.size(), value);
  return problem == std::errc() ? std::string(text.data(), end) : std::string();
}

std::string named(const std::string& name) {
  return name.empty() ? "not said" : printable(name);
}

/// With thousands separators, of any size.
std::string grouped_text(const BigInteger& value) {
  std::string digits = value.str();
  const std::size_t first = digits.starts_with('-') ? 1 : 0;
  for (std::size_t at = digits.size(); at > first + 3; at -= 3) digits.insert(at - 3, 1, ',');
  return digits;
}

std::string rate_text(const std::optional<double>& value, const std::string& unit,
                      const UsageIndicators& row) {
  if (value) return with_prefix(*value, unit);
  return row.time_is_the_targets ? "not measured" : "not measured: the time is an emulator's";
}

Document described(const UsageIndicators& row) {
  Document document;
  document.title = "usage indicators";
  if (!row.tenant.empty()) document.facts.push_back({"tenant", printable(row.tenant)});
  document.facts.push_back({"model type", named(row.model_type)});
  for (const auto& [unit, amount] : row.work)
    document.facts.push_back({"amount of work", grouped_text(amount) + ' ' + printable(unit)});
  if (row.work.empty()) document.facts.push_back({"amount of work", "not said"});
  document.facts.push_back({"target accuracy", row.target_accuracy.empty()
                                                   ? named(row.target_accuracy)
                                                   : printable(row.target_accuracy) + " %"});
  for (const auto& [unit, amount] : row.work)
    document.facts.push_back(
        {"processing rate",
         rate_text(row.processing_rate(unit), printable(processing_rate_unit(unit)), row)});
  document.facts.push_back({"rate of operations", rate_text(row.bops_per_second(), "BOPS", row)});
  document.facts.push_back({"time", duration_text(row.time_ns)});
  document.facts.push_back(
      {"formula BOPs", row.bops_formula ? grouped_text(*row.bops_formula) : "not measured"});
  if (row.bops_decoded) document.facts.push_back({"decoded BOPs", grouped_text(*row.bops_decoded)});
  for (const auto& [unit, amount] : row.work)
    if (const auto value = row.bops_per_unit(unit))
      document.facts.push_back({"BOPs per unit", with_prefix(*value, "BOP/" + printable(unit))});
  if (row.cost)
    document.facts.push_back({"cost", row.cost->text() + ' ' + printable(row.currency)});
  for (const auto& [unit, amount] : row.work)
    if (const auto value = row.cost_per_unit(unit))
      document.facts.push_back(
          {"cost per unit", value->text() + ' ' + printable(row.currency) + '/' + printable(unit)});
  return document;
}

Json text_or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

Json integer_or_null(const std::optional<BigInteger>& value) {
  return value ? Json(value->str()) : Json(nullptr);
}

Json number_or_null(const std::optional<double>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json to_json(const UsageIndicators& row) {
  Json work = Json::array();
  for (const auto& [unit, amount] : row.work) {
    const auto cost = row.cost_per_unit(unit);
    work.push_back({{"unit", unit},
                    {"amount", amount.str()},
                    {"processing_rate", number_or_null(row.processing_rate(unit))},
                    {"processing_rate_unit", processing_rate_unit(unit)},
                    {"bops_per_unit", number_or_null(row.bops_per_unit(unit))},
                    {"cost_per_unit", cost ? Json(cost->text()) : Json(nullptr)}});
  }
  return {{"tenant", text_or_null(row.tenant)},
          {"model_type", text_or_null(row.model_type)},
          {"work", std::move(work)},
          {"target_accuracy", text_or_null(row.target_accuracy)},
          {"bops_per_second", number_or_null(row.bops_per_second())},
          {"time_ns", row.time_ns},
          {"bops_formula", integer_or_null(row.bops_formula)},
          {"bops_decoded", integer_or_null(row.bops_decoded)},
          {"cost", row.cost ? Json(row.cost->text()) : Json(nullptr)},
          {"currency", row.cost ? Json(row.currency) : Json(nullptr)}};
}

std::string cell(const std::string& raw) {
  std::string text = printable(raw);
  if (text.find_first_of(",\"") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char character : text) {
    if (character == '"') quoted += '"';
    quoted += character;
  }
  return quoted + '"';
}

}  // namespace

std::string indicators_text(std::span<const UsageIndicators> rows) {
  std::string text;
  for (const UsageIndicators& row : rows) text += document_text(described(row), false);
  return text.empty() ? "no use in that time\n" : text;
}

std::string indicators_json(std::span<const UsageIndicators> rows) {
  Json document{{"schema", "bops.indicators.v1"}, {"rows", Json::array()}};
  for (const UsageIndicators& row : rows) document["rows"].push_back(to_json(row));
  return document.dump(-1, ' ', true, Json::error_handler_t::replace) + '\n';
}

std::string indicators_csv(std::span<const UsageIndicators> rows) {
  std::string text =
      "tenant,model_type,work_unit,work_amount,target_accuracy,processing_rate,"
      "processing_rate_unit,bops_per_second,time_ns,bops_formula,bops_decoded,bops_per_unit,cost,"
      "currency,cost_per_unit\r\n";
  const auto optional = [](const std::optional<double>& value) {
    return value ? shortest(*value) : std::string();
  };
  for (const UsageIndicators& row : rows) {
    std::map<std::string, BigInteger> work = row.work;
    if (work.empty()) work[""] = 0;
    for (const auto& [unit, amount] : work) {
      const auto cost = row.cost_per_unit(unit);
      const std::array<std::string, 15> cells{row.tenant,
                                              row.model_type,
                                              unit,
                                              unit.empty() ? "" : amount.str(),
                                              row.target_accuracy,
                                              optional(row.processing_rate(unit)),
                                              unit.empty() ? "" : processing_rate_unit(unit),
                                              optional(row.bops_per_second()),
                                              std::to_string(row.time_ns),
                                              row.bops_formula ? row.bops_formula->str() : "",
                                              row.bops_decoded ? row.bops_decoded->str() : "",
                                              optional(row.bops_per_unit(unit)),
                                              row.cost ? row.cost->text() : "",
                                              row.cost ? row.currency : "",
                                              cost ? cost->text() : ""};
      for (const std::string& each : cells) text += (&each == cells.data() ? "" : ",") + cell(each);
      text += "\r\n";
    }
  }
  return text;
}

}  // namespace bops
