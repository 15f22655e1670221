// Numbers as people read them. Plain ASCII, the same in every locale.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bops {

/// Thousands separators: 1,234,567.
[[nodiscard]] std::string grouped(std::uint64_t value);
[[nodiscard]] std::string grouped(std::int64_t value);

/// As grouped(), of a finite number rounded to an integer: for means, which are not counts.
[[nodiscard]] std::string grouped_rounded(double value);

/// With an SI prefix and two decimals: "12.35 GBOP"; below 1000 whole: "999 BOP". For display
/// only: beside it stands the full integer.
[[nodiscard]] std::string with_prefix(double value, std::string_view unit);

/// "1,234.5": `whole` over `parts`, with one decimal; "-" where there are no parts.
[[nodiscard]] std::string per_part(double whole, double parts);

/// "51.4 %"; "-" where the whole is 0.
[[nodiscard]] std::string percent(double part, double whole);

/// "1.234 s", "12.300 ms", "1.500 us", "7 ns".
[[nodiscard]] std::string duration_text(std::uint64_t duration_ns);

/// "12.3 MiB", binary prefixes; below 1024 "17 B".
[[nodiscard]] std::string bytes_text(std::uint64_t bytes);

}  // namespace bops
