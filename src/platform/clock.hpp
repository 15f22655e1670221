// The two clocks of a run: one to measure with, one to write down.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace bops {

/// CLOCK_MONOTONIC, nanoseconds since an arbitrary point that all processes of the machine share.
[[nodiscard]] std::uint64_t mono_ns();

/// `now` as RFC 3339 in UTC with nine decimals: "2024-02-29T23:59:59.000000001Z".
[[nodiscard]] std::string rfc3339_utc(std::chrono::system_clock::time_point now);

}  // namespace bops
