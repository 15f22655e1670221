// Records, packages, prices and lines from any bytes: never crashes, and what is rated adds up.
#include <cstdint>
#include <cstdlib>
#include <sstream>

#include "usage/rating/rate.hpp"
#include "usage/rating/read_records.hpp"
#include "usage/rating/read_terms.hpp"

namespace {

using namespace bops;

/// The bytes up to the next line that is "==", which is taken off.
std::string part(std::string& text) {
  const std::size_t end = text.find("\n==\n");
  std::string first = text.substr(0, end);
  text.erase(0, end == std::string::npos ? text.size() : end + 4);
  return first;
}

void check_balances(const Rating& rating) {
  for (const PackageBalance& each : rating.balances)
    if (each.bought != each.used + each.lapsed + each.balance) std::abort();
}

void check_sum(const SelectedUse& use, const Rating& rating) {
  BigInteger used, rated;
  for (const CountedUse& each : use.records) used += big_integer(each.quantity);
  for (const UnratedUse& each : rating.unrated) used -= each.quantity;
  for (const auto& [key, amounts] : rating.lines)
    if (key.kind != LineKind::kLapse) rated += amounts.quantity.whole_parts(Decimal::of_integer(1));
  if (used != rated) std::abort();
}

void check_read_back(const Rating& rating, TimeForm form) {
  std::istringstream text(json_lines(rating.lines, form, false));
  std::optional<TimeForm> read_form;
  const auto read = read_lines(text, read_form);
  if (!read || !difference(*read, rating.lines).value().empty()) std::abort();
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  std::istringstream records(part(text)), packages(part(text)), prices(part(text)), lines(text);
  std::optional<TimeForm> form;
  Terms terms;
  if (auto read = read_packages(packages, form, [](std::uint64_t, const Error&) {}))
    terms.packages = *std::move(read);
  if (auto read = read_prices(prices, form)) terms.prices = *std::move(read);
  (void)read_lines(lines, form);
  UseSelection selection(std::nullopt);
  std::size_t hours = 0;
  (void)read_rating_records(
      records, form,
      {[&](const RatingRecord& record) {
         // A year in one record is allowed, and slow.
         hours += static_cast<std::size_t>((record.end - record.start) / (1000 * kNsPerHour));
         if (hours == 0) selection.add(record);
       },
       [](std::uint64_t, const Error&) {}});
  const SelectedUse use = selection.finish();
  RatingPolicy policy;
  if (size % 2 == 0) policy.boundary = Boundary::kHour;
  if (size % 3 == 0) policy.cutoff = static_cast<RatingTime>(size) * 60 * kNsPerSecond;
  const auto rating = rate(use, terms, policy);
  if (!rating) return 0;
  check_balances(*rating);
  check_sum(use, *rating);
  check_read_back(*rating, form.value_or(TimeForm::kDated));
  return 0;
}
