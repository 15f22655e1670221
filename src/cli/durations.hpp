// Durations as users write them.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace bops {

/// "500ms", "2s", "1.5s", "100us", "1m"; a number alone is seconds. Nothing if it is neither, not
/// positive, or longer than a year.
[[nodiscard]] std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);

}  // namespace bops
