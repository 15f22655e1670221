#include "usage/rating/lines.hpp"

#include <array>
#include <nlohmann/json.hpp>

namespace bops {

std::string_view to_string(LineKind kind) {
  constexpr std::array<std::string_view, 3> kNames{"package", "payg", "lapse"};
  return kNames.at(static_cast<std::size_t>(kind));
}

Result<Lines> difference(const Lines& before, const Lines& after) {
  Lines result = after;
  for (const auto& [key, amounts] : before) {
    LineAmounts& changed = result[key];
    if (changed.currency.empty()) changed.currency = amounts.currency;
    if (!amounts.currency.empty() && changed.currency != amounts.currency)
      return failure(
          "the lines before are in " + amounts.currency + ", now they are in " + changed.currency,
          "nothing is converted: rate with prices in the currency of the lines before");
    changed.quantity -= amounts.quantity;
    changed.amount -= amounts.amount;
    changed.deducted -= amounts.deducted;
  }
  std::erase_if(result, [](const auto& line) {
    const LineAmounts& amounts = line.second;
    return amounts.quantity.is_zero() && amounts.amount.is_zero() && amounts.deducted.is_zero();
  });
  return result;
}

std::string time_text(RatingTime time, TimeForm form) {
  if (form == TimeForm::kSeconds) return std::to_string(time / kNsPerSecond);
  std::string text = format_utc(time);
  const std::size_t point = text.find('.');
  if (time % kNsPerSecond == 0 && point != std::string::npos) text.replace(point, 10, "");
  return text;
}

std::string json_line(const LineKey& key, const LineAmounts& amounts, TimeForm form,
                      bool is_difference) {
  using Json = nlohmann::ordered_json;
  const std::string prefix = is_difference ? "d" : "";
  const bool whose = !key.tenant.empty() || !key.meter.empty();
  Json line = Json::object();
  if (form == TimeForm::kSeconds)
    line["hour"] = key.hour / kNsPerSecond;
  else
    line["hour"] = time_text(key.hour, form);
  if (whose) {
    line["tenant"] = key.tenant.empty() ? Json(nullptr) : Json(key.tenant);
    line["meter"] = key.meter.empty() ? Json(nullptr) : Json(key.meter);
  }
  line["kind"] = to_string(key.kind);
  line["package"] = key.package.empty() ? Json(nullptr) : Json(key.package);
  line[prefix + "qty"] = amounts.quantity.text();
  if (key.kind == LineKind::kPackage && amounts.deducted != amounts.quantity)
    line[prefix + "deducted"] = amounts.deducted.text();
  line[prefix + "amount"] = amounts.amount.text();
  if (whose) line["currency"] = amounts.currency;
  return line.dump(-1, ' ', true, Json::error_handler_t::replace);
}

std::string json_lines(const Lines& lines, TimeForm form, bool is_difference) {
  std::string text;
  for (const auto& [key, amounts] : lines)
    text += json_line(key, amounts, form, is_difference) + '\n';
  return text;
}

}  // namespace bops
