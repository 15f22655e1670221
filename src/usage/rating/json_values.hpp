// JSON values from outside, one at a time, however many there are.
#pragma once

#include <cstdint>
#include <functional>
#include <istream>
#include <nlohmann/json.hpp>
#include <string_view>

#include "model/error.hpp"

namespace bops {

/// A longer value is refused, bytes.
inline constexpr std::uint64_t kMaxValueSize = std::uint64_t{1} << 20U;

/// Takes a value, or what is wrong with it, and the number of the line on which it starts, from 1.
using VisitValue = std::function<void(Result<nlohmann::json> value, std::uint64_t line)>;

/// Reads values that follow each other; of an array its elements are visited instead. Integers of
/// more than 64 bits are given as strings of their digits. A value that says a key twice, or is
/// nested deeper than 16, is visited as a failure; fails where the text is not JSON, of which the
/// rest cannot be read.
[[nodiscard]] Result<void> for_each_value(std::istream& text, const VisitValue& visit);

/// The one value of a text.
[[nodiscard]] Result<nlohmann::json> parse_value(std::string_view text);

}  // namespace bops
