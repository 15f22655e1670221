#include "usage/utc_time.hpp"

#include <chrono>
#include <optional>

#include "platform/clock.hpp"

namespace bops {
namespace {

constexpr int kLastYear = 2261;  // the last that is whole in 63 bits of nanoseconds

/// Takes exactly `digits` decimal digits off the front of `text`.
std::optional<int> take_number(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int value = 0;
  for (const char digit : text.substr(0, digits)) {
    if (digit < '0' || digit > '9') return std::nullopt;
    value = value * 10 + (digit - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, char expected) {
  if (text.empty() || text.front() != expected) return false;
  text.remove_prefix(1);
  return true;
}

/// The decimals behind the seconds, as nanoseconds; 0 if there are none.
std::optional<std::int64_t> take_fraction(std::string_view& text) {
  if (!take(text, '.')) return 0;
  std::int64_t nanoseconds = 0, unit = kNsPerSecond;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    if (unit == 1) return std::nullopt;
    unit /= 10;
    nanoseconds += (text.front() - '0') * unit;
    text.remove_prefix(1);
  }
  if (unit == kNsPerSecond) return std::nullopt;
  return nanoseconds;
}

std::optional<UtcNs> parsed(std::string_view text) {
  const auto year = take_number(text, 4);
  if (!year || !take(text, '-')) return std::nullopt;
  const auto month = take_number(text, 2);
  if (!month || !take(text, '-')) return std::nullopt;
  const auto day = take_number(text, 2);
  if (!day || (!take(text, 'T') && !take(text, 't'))) return std::nullopt;
  const auto hour = take_number(text, 2);
  if (!hour || !take(text, ':')) return std::nullopt;
  const auto minute = take_number(text, 2);
  if (!minute || !take(text, ':')) return std::nullopt;
  const auto second = take_number(text, 2);
  if (!second) return std::nullopt;
  const auto fraction = take_fraction(text);
  if (!fraction) return std::nullopt;
  if (text != "Z" && text != "z" && text != "+00:00") return std::nullopt;

  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  if (*year < 1970 || *year > kLastYear) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  const std::int64_t seconds = ((days * 24 + *hour) * 60 + *minute) * 60 + *second;
  return seconds * kNsPerSecond + *fraction;
}

}  // namespace

Result<UtcNs> parse_utc(std::string_view text) {
  if (const auto time = parsed(text)) return *time;
  return failure("\"" + std::string(text.substr(0, 64)) + "\" is not an RFC 3339 time in UTC",
                 "write 2026-11-22T19:00:00.000000000Z, for instance");
}

std::string format_utc(UtcNs time) {
  return rfc3339_utc(std::chrono::system_clock::time_point(std::chrono::nanoseconds(time)));
}

}  // namespace bops
