// Usage records for tests.
#pragma once

#include <string>
#include <vector>

#include "usage/usage_record.hpp"

namespace bops::samples {

/// A record that is right in every field: 1000 formula BOPs of tenant "acme" in the minute from
/// 2026-11-22T19:00:00Z, the first of its source.
[[nodiscard]] UsageRecord usage_record();

/// usage_line(usage_record()) as JSON, to change fields of.
[[nodiscard]] nlohmann::ordered_json usage_json();

/// A chain of `count` records of one source, one a second, each of quantity 1000 + its number.
[[nodiscard]] std::vector<UsageRecord> usage_chain(std::size_t count, const std::string& source);

}  // namespace bops::samples
