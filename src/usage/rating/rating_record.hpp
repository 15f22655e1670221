// What rating looks at of a usage record.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "usage/rating/decimal.hpp"
#include "usage/usage_record.hpp"

namespace bops {

/// Nanoseconds since 1970-01-01T00:00:00Z, or since any UTC hour where inputs write their times as
/// seconds from one; negative before it.
using RatingTime = std::int64_t;

/// How the times of inputs and lines are written.
enum class TimeForm : std::uint8_t {
  kSeconds,  ///< integers, seconds from a UTC hour
  kDated,    ///< RFC 3339
};

/// Exact sums of more records than fit on a disk: 10^30 each at most.
__extension__ using Quantity = __int128;

/// Whose use of what it is, and what may be charged for it.
struct UseAccount {
  std::string tenant{};           ///< empty: not said
  std::string meter{};            ///< empty: not said
  std::string model{};            ///< empty: not said
  std::string target_accuracy{};  ///< as the record's label has it; rating does not look at it
  bool error_known = true;
  UsageIntegrity integrity = UsageIntegrity::kKernel;
  // clang-tidy 14 takes the comparison with 0 in a defaulted <=> for a null pointer.
  // NOLINTNEXTLINE(modernize-use-nullptr)
  friend auto operator<=>(const UseAccount&, const UseAccount&) = default;
};

struct RatingRecord {
  UsageKey key;
  UseAccount account;
  RatingTime start = 0;
  RatingTime end = 0;                  ///< not before `start`; all at `start` if it is the same
  std::optional<RatingTime> received;  ///< absent: at its end
  Quantity quantity = 0;               ///< 0 ... 10^30
  std::optional<UsageKey> reverses;    ///< present: a reversal, whose quantity means nothing
  /// What else the record says, as a digest: a key with two contents is disputed.
  std::array<std::uint8_t, 16> content{};
};

/// 10^30 is the largest quantity of a record.
[[nodiscard]] Result<Quantity> quantity_of(const BigInteger& value);
[[nodiscard]] BigInteger big_integer(Quantity value);

/// The UTC hour that a time lies in, as the time at which it starts.
[[nodiscard]] constexpr RatingTime rating_hour(RatingTime time) {
  const RatingTime into = time % kNsPerHour;
  return time - (into < 0 ? into + kNsPerHour : into);
}

}  // namespace bops
