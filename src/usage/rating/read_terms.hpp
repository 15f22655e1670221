// Packages, prices and the lines of an earlier rating, as files have them.
#pragma once

#include <cstdint>
#include <functional>
#include <istream>
#include <optional>
#include <vector>

#include "usage/rating/lines.hpp"
#include "usage/rating/terms.hpp"

namespace bops {

/// The line that something wrong starts on, and what is wrong.
using TermProblem = std::function<void(std::uint64_t line, const Error& error)>;

/// Reads packages, in a JSON array or one after the other:
///   {"id": "p", "qty": 150, "from": 0, "to": 1800, "created": 0}
/// with, where they apply, "tenant", "meter", "model" or "models", "ratio" (units of the package
/// that one unit of use takes), "ratios" by model, "cost" and "currency". Times may also be called
/// "effective" and "expires". A package that is wrong is left out; fails where the text is not
/// JSON. `form` is how the times before were written, if there were any; kept up to date.
[[nodiscard]] Result<std::vector<Package>> read_packages(std::istream& text,
                                                         std::optional<TimeForm>& form,
                                                         const TermProblem& problem);

/// Reads prices, in a JSON array, alone, or one after the other:
///   {"unit": "0.002", "per": 1000, "currency": "CNY"}
/// with, where they apply, "tenant", "meter", "model", "from", "to", and "integrity": "kernel".
/// Fails, with the line, at the first that is wrong: without a price nothing can be charged.
[[nodiscard]] Result<std::vector<Price>> read_prices(std::istream& text,
                                                     std::optional<TimeForm>& form);

/// Sums lines that json_lines() wrote, differences among them. Fails, with the line, at the first
/// that is wrong: a difference from a part of them would be wrong.
[[nodiscard]] Result<Lines> read_lines(std::istream& text, std::optional<TimeForm>& form);

}  // namespace bops
