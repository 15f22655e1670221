// Times as records write them: RFC 3339, UTC, to the nanosecond.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "model/error.hpp"

namespace bops {

/// Nanoseconds since 1970-01-01T00:00:00Z, leap seconds not counted. From 1970 to 2261.
using UtcNs = std::int64_t;

inline constexpr std::int64_t kNsPerSecond = 1'000'000'000;
inline constexpr std::int64_t kNsPerHour = 3600 * kNsPerSecond;

/// "2026-11-22T19:00:00Z", with up to nine decimals; "+00:00" for "Z" is accepted. Fails for any
/// other offset, a day that is not in the calendar, a leap second (no such instant in UtcNs), and
/// outside the years of UtcNs.
[[nodiscard]] Result<UtcNs> parse_utc(std::string_view text);

/// With nine decimals: "2026-11-22T19:00:00.000000000Z". `time` is not negative.
[[nodiscard]] std::string format_utc(UtcNs time);

/// The UTC hour that a time lies in, as the time at which it starts. `time` is not negative.
[[nodiscard]] constexpr UtcNs hour_of(UtcNs time) {
  return time - time % kNsPerHour;
}

}  // namespace bops
