#include "usage/rating/read_terms.hpp"

#include <algorithm>
#include <array>

#include "usage/rating/fields.hpp"
#include "usage/rating/json_values.hpp"

namespace bops {
namespace {

using Json = nlohmann::json;

tl::unexpected<Error> at_line(std::uint64_t line, const Error& error) {
  return tl::unexpected<Error>(
      Error{"line " + std::to_string(line) + ": " + error.message, error.remedy, error.kind});
}

/// Reads every value as a T; fails at the first that is wrong.
template <class T, class ReadOne>
Result<std::vector<T>> read_all(std::istream& text, const ReadOne& read_one) {
  std::vector<T> all;
  std::optional<Error> first;
  const auto read = for_each_value(text, [&](Result<Json> json, std::uint64_t line) {
    auto one = json ? read_one(*json) : Result<T>(tl::unexpected(json.error()));
    if (one)
      all.push_back(*std::move(one));
    else if (!first)
      first = at_line(line, one.error()).value();
  });
  if (first) return tl::unexpected(*first);
  if (!read) return tl::unexpected(read.error());
  return all;
}

std::optional<Decimal> ratio_of(const Json& value, Fields& fields, const std::string& name) {
  std::string text;
  if (value.is_string()) text = value.get<std::string>();
  if (value.is_number_unsigned()) text = std::to_string(value.get<std::uint64_t>());
  auto ratio = Decimal::parse(text);
  if (ratio && !ratio->is_zero() && !ratio->is_negative()) return *std::move(ratio);
  fields.complain(name + " is not a positive decimal of at most 10 places",
                  "write it as a string: \"0.5\"");
  return std::nullopt;
}

void read_ratios(Fields& fields, Package& package) {
  if (const Json* one = fields.find({"ratio"}))
    package.ratio_of_others = ratio_of(*one, fields, "ratio").value_or(package.ratio_of_others);
  const Json* ratios = fields.find({"ratios"});
  if (ratios == nullptr) return;
  if (!ratios->is_object()) return fields.complain("ratios is not an object");
  for (const auto& [model, value] : ratios->items())
    if (auto ratio = ratio_of(value, fields, "the ratio of model " + model))
      package.ratios[model] = *std::move(ratio);
}

void read_models(Fields& fields, Package& package) {
  if (const std::string one = fields.text_or_empty({"model"}); !one.empty())
    package.models.push_back(one);
  const Json* models = fields.find({"models"});
  if (models == nullptr) return;
  // Without a model it would be for every one.
  if (!models->is_array() || models->empty())
    return fields.complain("models is not a list of names");
  for (const Json& model : *models) {
    if (!model.is_string() || model.get_ref<const std::string&>().empty())
      return fields.complain("models is not a list of names");
    package.models.push_back(model.get<std::string>());
  }
}

Result<Package> package_of(const Json& json, std::optional<TimeForm>& form) {
  Fields fields(json, form);
  Package package;
  package.id = fields.required_text({"id"});
  package.quantity = fields.count({"qty", "quantity"});
  package.effective = fields.time({"from", "effective"});
  package.expires = fields.time({"to", "expires"});
  package.created = fields.time_or_none({"created"}).value_or(0);
  package.tenant = fields.text_or_empty({"tenant", "subject"});
  package.meter = fields.text_or_empty({"meter"});
  read_models(fields, package);
  read_ratios(fields, package);
  package.currency = fields.text_or_empty({"currency"});
  if (fields.has({"cost"})) {
    package.cost = fields.fraction({"cost"});
    if (*package.cost < 0) fields.complain("cost is negative");
    if (package.currency.empty()) fields.complain("currency of the cost is missing");
  }
  if (package.expires <= package.effective)
    fields.complain("it expires before it takes effect", "correct \"from\" or \"to\"");
  if (fields.error()) return tl::unexpected(*fields.error());
  return package;
}

Result<Price> price_of(const Json& json, std::optional<TimeForm>& form) {
  Fields fields(json, form);
  Price price;
  const BigRational unit = fields.fraction({"unit"});
  if (unit < 0) fields.complain("unit is negative");
  if (fields.has({"per"})) price.per = fields.count({"per"});
  if (price.per.is_zero()) {
    fields.complain("per is 0");
    price.per = 1;
  }
  price.unit = unit;
  price.per_unit = unit / BigRational(price.per);
  price.currency = fields.required_text({"currency"});
  price.tenant = fields.text_or_empty({"tenant", "subject"});
  price.meter = fields.text_or_empty({"meter"});
  price.model = fields.text_or_empty({"model"});
  price.from = fields.time_or_none({"from", "effective"});
  price.until = fields.time_or_none({"to", "expires"});
  if (price.from && price.until && *price.until <= *price.from)
    fields.complain("it ends before it takes effect", "correct \"from\" or \"to\"");
  const std::string integrity = fields.text_or_empty({"integrity"});
  if (!integrity.empty() && integrity != "kernel")
    fields.complain("integrity is not \"kernel\", the only one that can be required");
  price.requires_kernel = !integrity.empty();
  if (fields.error()) return tl::unexpected(*fields.error());
  return price;
}

Result<LineKind> kind_of(const std::string& text) {
  for (const LineKind kind : {LineKind::kPackage, LineKind::kPayg, LineKind::kLapse})
    if (to_string(kind) == text) return kind;
  return failure("kind is not package, payg or lapse");
}

using RatedLine = std::pair<LineKey, LineAmounts>;

Result<RatedLine> line_of(const Json& json, std::optional<TimeForm>& form) {
  Fields fields(json, form);
  LineKey key;
  LineAmounts amounts;
  key.hour = fields.time({"hour"});
  if (key.hour != rating_hour(key.hour)) fields.complain("hour is not the start of an hour");
  key.tenant = fields.text_or_empty({"tenant"});
  key.meter = fields.text_or_empty({"meter"});
  key.package = fields.text_or_empty({"package"});
  const auto kind = kind_of(fields.required_text({"kind"}));
  if (!kind) fields.complain(kind.error().message);
  key.kind = kind.value_or(LineKind::kPayg);
  const auto decimal = [&](const char* name, const char* of_difference) {
    const Json* field = fields.find({name, of_difference});
    const auto value = Decimal::parse(
        field != nullptr && field->is_string() ? field->get_ref<const std::string&>() : "");
    if (!value) fields.complain(std::string(name) + " is not a decimal in a string");
    return value.value_or(Decimal());
  };
  amounts.quantity = decimal("qty", "dqty");
  amounts.amount = decimal("amount", "damount");
  if (fields.has({"deducted", "ddeducted"}))
    amounts.deducted = decimal("deducted", "ddeducted");
  else if (key.kind != LineKind::kPayg)
    amounts.deducted = amounts.quantity;
  amounts.currency = fields.text_or_empty({"currency"});
  if (fields.error()) return tl::unexpected(*fields.error());
  return RatedLine{std::move(key), std::move(amounts)};
}

}  // namespace

Result<std::vector<Package>> read_packages(std::istream& text, std::optional<TimeForm>& form,
                                           const TermProblem& problem) {
  std::vector<Package> packages;
  const auto read = for_each_value(text, [&](Result<Json> json, std::uint64_t line) {
    auto package = json ? package_of(*json, form) : Result<Package>(tl::unexpected(json.error()));
    if (package)
      packages.push_back(*std::move(package));
    else
      problem(line, package.error());
  });
  if (!read) return tl::unexpected(read.error());
  return packages;
}

Result<std::vector<Price>> read_prices(std::istream& text, std::optional<TimeForm>& form) {
  return read_all<Price>(text, [&](const Json& json) { return price_of(json, form); });
}

Result<Lines> read_lines(std::istream& text, std::optional<TimeForm>& form) {
  const auto all = read_all<RatedLine>(text, [&](const Json& json) { return line_of(json, form); });
  if (!all) return tl::unexpected(all.error());
  Lines lines;
  for (const auto& [key, amounts] : *all) {
    LineAmounts& sum = lines[key];
    sum.quantity += amounts.quantity;
    sum.amount += amounts.amount;
    sum.deducted += amounts.deducted;
    if (!sum.currency.empty() && sum.currency != amounts.currency)
      return failure("a line is in " + sum.currency + " and in " + amounts.currency);
    sum.currency = amounts.currency;
  }
  return lines;
}

}  // namespace bops
