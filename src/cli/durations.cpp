#include "cli/durations.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace bops {

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  using Unit = std::pair<std::string_view, double>;
  static constexpr std::array<Unit, 7> kUnits = {Unit{"ns", 1},  Unit{"us", 1e3}, Unit{"ms", 1e6},
                                                 Unit{"s", 1e9}, Unit{"m", 60e9}, Unit{"h", 3600e9},
                                                 Unit{"", 1e9}};
  constexpr double kLongest = 366.0 * 24 * 3600 * 1e9;
  double number = 0;
  const auto [rest, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc{}) return std::nullopt;
  const std::string_view suffix(rest, static_cast<std::size_t>(text.data() + text.size() - rest));
  for (const auto& [unit, scale] : kUnits) {
    if (suffix != unit) continue;
    const double nanoseconds = number * scale;
    if (!(nanoseconds >= 1) || nanoseconds > kLongest) return std::nullopt;
    return std::chrono::nanoseconds(std::llround(nanoseconds));
  }
  return std::nullopt;
}

}  // namespace bops
