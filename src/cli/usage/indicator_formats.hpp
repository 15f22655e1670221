// Usage indicators as people and programs read them.
#pragma once

#include <span>
#include <string>

#include "usage/rating/indicators.hpp"

namespace bops {

/// A table for each row of indicators.
[[nodiscard]] std::string indicators_text(std::span<const UsageIndicators> rows);
/// Schema bops.indicators.v1, on one line.
[[nodiscard]] std::string indicators_json(std::span<const UsageIndicators> rows);
/// RFC 4180: a line for each unit of work of each row, at least one for each row.
[[nodiscard]] std::string indicators_csv(std::span<const UsageIndicators> rows);

}  // namespace bops
