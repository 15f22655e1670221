// Rating by walking through every second: slow, small numbers only, and nothing shared with the
// real one but its types.
#pragma once

#include "tests/rating/cases.hpp"

namespace bops::rating_cases {

/// The lines in the notation of brief(), with tenant and meter behind the hour.
[[nodiscard]] std::string reference_lines(const Case& made);
/// The lines of the real one in the same notation.
[[nodiscard]] std::string lines_as_reference(const Lines& lines);
/// "conflict h1 a; late h1 b": quarantined keys, sorted.
[[nodiscard]] std::string reference_quarantine(const Case& made);

}  // namespace bops::rating_cases
