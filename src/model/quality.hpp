// How far a number can be trusted, as one word that every report prints.
#pragma once

#include <string_view>

namespace bops {

enum class Quality {
  kExact,        ///< every executed instruction counted, in the defined unit
  kApproximate,  ///< another unit than retired instructions, or an estimate
  kScaled,       ///< the counters ran part of the time and were extrapolated
  kPartial,      ///< something that belongs to the run was not counted
  kMissing,      ///< nothing was counted
};

/// The word used in records: "exact", "approximate", "scaled", "partial", "missing".
[[nodiscard]] std::string_view to_string(Quality quality);

/// The poorer of two qualities: what a sum over both may claim.
[[nodiscard]] constexpr Quality poorer(Quality a, Quality b) {
  return a < b ? b : a;
}

}  // namespace bops
