#include "tests/rating/cases.hpp"

#include <stdexcept>

namespace bops::rating_cases {
namespace {

constexpr std::int64_t kHour = 3600;
constexpr std::int64_t kDay = 24 * kHour;

std::string name_of(const char* what, std::int64_t number) {
  return std::string(what) + std::to_string(number);
}

}  // namespace

RatingRecord record(const std::string& id, std::int64_t start, std::int64_t end,
                    Quantity quantity) {
  RatingRecord made;
  made.key = {"h1", id};
  made.start = start * kNsPerSecond;
  made.end = end * kNsPerSecond;
  made.quantity = quantity;
  return made;
}

RatingRecord reversal(const std::string& id, const std::string& of) {
  RatingRecord made = record(id, 0, 60, 1);
  made.reverses = UsageKey{"h1", of};
  return made;
}

Package package(const std::string& id, std::int64_t quantity, std::int64_t from, std::int64_t to) {
  Package made;
  made.id = id;
  made.quantity = quantity;
  made.effective = from * kNsPerSecond;
  made.expires = to * kNsPerSecond;
  return made;
}

Price price(const std::string& unit) {
  Price made;
  made.unit = parse_fraction(unit).value();
  made.per = 1000;
  made.per_unit = made.unit / BigRational(made.per);
  made.currency = "CNY";
  return made;
}

SelectedUse selected(const Case& made) {
  UseSelection selection(made.policy.cutoff);
  for (const RatingRecord& record : made.records) selection.add(record);
  return selection.finish();
}

Rating rated(const Case& made) {
  auto rating = rate(selected(made), made.terms, made.policy);
  if (!rating) throw std::runtime_error(rating.error().message);
  return *std::move(rating);
}

std::string lines(const Case& made) {
  return json_lines(rated(made).lines, TimeForm::kSeconds, false);
}

std::string brief(const Lines& lines) {
  std::string text;
  for (const auto& [key, amounts] : lines)
    text += (text.empty() ? "" : "; ") + time_text(key.hour, TimeForm::kSeconds) + ' ' +
            std::string(to_string(key.kind)) + ' ' + (key.package.empty() ? "-" : key.package) +
            ' ' + amounts.quantity.text() + ' ' + amounts.amount.text();
  return text;
}

std::int64_t RandomCases::below(std::int64_t limit) {
  return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(limit));
}

/// On an hour, on a round minute, or anywhere in four hours.
std::int64_t RandomCases::moment() {
  switch (below(3)) {
    case 0: return below(5) * kHour;
    case 1: return below(48) * 300;
    default: return below(4 * kHour);
  }
}

RatingRecord RandomCases::make_record(std::size_t number) {
  const std::int64_t start = moment();
  const std::int64_t end = start + (below(8) == 0 ? 0 : 1 + below(below(2) == 0 ? 60 : 5000));
  RatingRecord made = record(name_of("r", static_cast<std::int64_t>(number)), start, end,
                             below(4) == 0 ? below(4) : below(2000));
  made.key.source = name_of("h", below(2));
  made.account.tenant = name_of("t", below(2));
  made.account.meter = below(3) == 0 ? "requests" : "tokens";
  if (below(4) == 0) made.received = made.end + below(3 * kHour) * kNsPerSecond;
  if (below(20) == 0) made.received = made.end + (34 * kDay + below(2 * kDay)) * kNsPerSecond;
  return made;
}

void RandomCases::add_trouble(std::vector<RatingRecord>& records) {
  const std::size_t whole = records.size();
  const auto any = [&] {
    return records[static_cast<std::size_t>(below(static_cast<std::int64_t>(records.size())))];
  };
  for (std::size_t i = 0; i < whole; ++i) {
    RatingRecord made = any();
    switch (below(8)) {
      case 0: break;  // the same again
      case 1: made.quantity += 1; break;
      case 2:
        made.reverses = any().key;
        made.key.id = name_of("x", static_cast<std::int64_t>(i));
        break;
      case 3: made.received = made.end + below(40 * kDay) * kNsPerSecond; break;
      default: continue;
    }
    records.push_back(std::move(made));
  }
}

Case RandomCases::make() {
  Case made;
  made.terms.form = TimeForm::kSeconds;
  for (std::size_t i = 0, count = static_cast<std::size_t>(1 + below(10)); i < count; ++i)
    made.records.push_back(make_record(i));
  add_trouble(made.records);
  for (std::int64_t i = 0, count = below(6); i < count; ++i) {
    const std::int64_t from = moment();
    Package bought = package(name_of("p", i), below(3000), from, from + 1 + below(3 * kHour));
    bought.created = below(3);
    bought.tenant = name_of("t", below(2));
    bought.meter = below(3) == 0 ? "requests" : "tokens";
    made.terms.packages.push_back(std::move(bought));
  }
  made.terms.prices.push_back(price("0.0023"));
  if (below(3) == 0) {
    made.terms.prices.push_back(price("7"));
    made.terms.prices.back().meter = "requests";
  }
  if (below(2) == 0) made.policy.boundary = Boundary::kHour;
  if (below(2) == 0)
    made.policy.cutoff = below(2) == 0 ? moment() * kNsPerSecond : below(40 * kDay) * kNsPerSecond;
  return made;
}

}  // namespace bops::rating_cases
