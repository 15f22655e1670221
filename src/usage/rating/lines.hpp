// The lines of a bill: one for each hour, tenant, meter, kind and package.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "usage/rating/decimal.hpp"
#include "usage/rating/rating_record.hpp"

namespace bops {

/// In the order of the lines of an hour.
enum class LineKind : std::uint8_t {
  kPackage,  ///< use that a package pays for
  kPayg,     ///< use that none pays for
  kLapse,    ///< what was left of a package at its expiry
};

[[nodiscard]] std::string_view to_string(LineKind kind);  ///< "package", "payg", "lapse"

/// Lines are in the order of their keys.
struct LineKey {
  RatingTime hour = 0;
  std::string tenant;
  std::string meter;
  LineKind kind = LineKind::kPayg;
  std::string package;  ///< empty: none
  // clang-tidy 14 takes the comparison with 0 in a defaulted <=> for a null pointer.
  // NOLINTNEXTLINE(modernize-use-nullptr)
  friend auto operator<=>(const LineKey&, const LineKey&) = default;
};

struct LineAmounts {
  Decimal quantity;      ///< units of use; of a lapse units of the package
  Decimal amount;        ///< money
  Decimal deducted;      ///< units of the package that the use took, or that lapsed
  std::string currency;  ///< of `amount`
  friend bool operator==(const LineAmounts&, const LineAmounts&) = default;
};

/// No line is all zero.
using Lines = std::map<LineKey, LineAmounts>;

/// What must be added to the lines `before` so that they are `after`. Fails where a line is in two
/// currencies; one that a line does not say is the other's.
[[nodiscard]] Result<Lines> difference(const Lines& before, const Lines& after);

/// As JSON, one line without its newline:
///   {"hour": 3600, "kind": "payg", "package": null, "qty": "4", "amount": "0.000008"}
/// `tenant`, `meter` and `currency` are there if the line has a tenant or a meter, `deducted` if it
/// is not `qty`. Of a difference the numbers are called dqty, damount, ddeducted.
[[nodiscard]] std::string json_line(const LineKey& key, const LineAmounts& amounts, TimeForm form,
                                    bool is_difference);

/// All of them, each ending in a newline.
[[nodiscard]] std::string json_lines(const Lines& lines, TimeForm form, bool is_difference);

/// The time as lines write it: 3600, or 2026-11-22T19:00:00Z.
[[nodiscard]] std::string time_text(RatingTime time, TimeForm form);

}  // namespace bops
