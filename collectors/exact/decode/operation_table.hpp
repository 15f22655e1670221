// What each instruction computes, as data: the lookup from Zydis' mnemonic.
#pragma once

#include <Zydis/Zydis.h>

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

namespace bops::exact {

enum class Kind : std::uint8_t {
  kUnlisted,       ///< in no row of the table; treated as kNoComputation
  kNoComputation,  ///< moves, extensions, shuffles, system instructions
  kBranch,         ///< transfers control
  kAddress,        ///< lea: one address operation
  kInteger,
  kFloatingPoint,
};

/// How often `weight` operations are carried out.
enum class Measure : std::uint8_t {
  kOnce,                 ///< scalar
  kPerLane,              ///< once per `lane_bits` of the vector
  kDotProductImmediate,  ///< dpps, dppd: the immediate chooses the products
  kStringImmediate,      ///< pcmpestri and kin: the immediate chooses bytes or words
};

struct Operation {
  Kind kind = Kind::kUnlisted;
  Measure measure = Measure::kOnce;
  std::uint8_t lane_bits = 0;      ///< of the operation that the mnemonic names
  std::uint16_t weight = 0;        ///< operations each time
  bool zero_of_itself = false;     ///< result 0 if both sources are the same register
  bool assumes_tile_size = false;  ///< weight is that of the largest tile
  friend bool operator==(const Operation&, const Operation&) = default;
};

/// The element types whose names complete the stems of a row.
enum class Suffixes : std::uint8_t {
  kNone,
  kFloat,    ///< ps pd ph per lane; ss sd sh once
  kInteger,  ///< b w d q per lane
};

/// One row: the names are stem x suffix, each with and without a leading `v` (VEX and EVEX). Names
/// that Zydis does not have are passed over.
struct OperationRow {
  Operation operation;
  Suffixes suffixes;
  std::string_view stems;  ///< separated by single spaces
};

/// Source of the operations: Intel SDM volume 2 and AMD APM volumes 3 to 5, under counting.md.
[[nodiscard]] std::span<const OperationRow> operation_rows();

/// Calls `take(name, operation)` for each name that the row can stand for, in lower case.
void expand_row(const OperationRow& row,
                const std::function<void(std::string_view, const Operation&)>& take);

/// Kind::kUnlisted if no row names it. The first call builds the lookup (well under 10 ms).
[[nodiscard]] const Operation& operation_of(ZydisMnemonic mnemonic);

}  // namespace bops::exact
