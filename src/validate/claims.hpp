// The claims about the 8 %, and their verdicts.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "validate/validation.hpp"

namespace bops::validate {

struct Claim {
  std::string_view name;
  std::string_view says;
};

/// In the order in which they are judged and shown; the first is the default.
inline constexpr std::array<Claim, 4> kClaims{{
    {"reference", "The plain formula is within the bound on the reference build."},
    {"anywhere", "The plain formula is within the bound on every build."},
    {"calibrated",
     "One factor per kernel and build, taken on one input, keeps the formula within the bound for "
     "8 and 64 times the work, for other numbers of threads, and for other distributions wherever "
     "bops does not warn that the mix of loads, stores and branches has moved."},
    {"decoded",
     "Decoded operations are within the bound of the source on the builds that keep the source's "
     "operations: the reference build, and the unoptimised ones under the rules of their compiler, "
     "kernels that assign to an element by a compound operator excepted."},
}};

/// Reads rows, calibrations and decoded rows; a verdict per claim. A claim without any judged
/// number is not measured; one with an expectation that is not met fails.
[[nodiscard]] std::vector<Verdict> judge(const Validation& validation, const Rules& rules,
                                         double bound);

/// "+4.8 %", "-0.04 %": two digits that count.
[[nodiscard]] std::string error_text(double error);

/// Null if there is no verdict of that name.
[[nodiscard]] const Verdict* find_verdict(const std::vector<Verdict>& verdicts,
                                          std::string_view claim);

[[nodiscard]] std::string_view to_string(Judgement judgement);

}  // namespace bops::validate
