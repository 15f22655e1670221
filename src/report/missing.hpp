// Why a number is not there: a number that was not measured is never 0, it is absent with a reason.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/run_record.hpp"

namespace bops {

// Warning codes, one per number of bops.run.v1 that can be null.
inline constexpr std::string_view kCountsNotMeasured = "counts_not_measured";
inline constexpr std::string_view kOperationsNotMeasured = "operations_not_measured";
inline constexpr std::string_view kClassesNotMeasured = "instruction_classes_not_measured";
inline constexpr std::string_view kCyclesNotMeasured = "cycles_not_measured";
inline constexpr std::string_view kRatesNotMeasured = "rates_not_measured";
inline constexpr std::string_view kResourcesNotMeasured = "resource_usage_not_measured";

/// Formula BOPs per second of wall time, rounded towards 0. Absent where nothing was counted, where
/// the time is not the target's own, and where the quotient means nothing (no time, beyond 64 bit).
[[nodiscard]] std::optional<std::int64_t> bops_per_second(const RunRecord& record);

/// The reason for each number that the record lacks, in the order of the codes above.
[[nodiscard]] std::vector<Warning> missing_numbers(const RunRecord& record);

/// Adds the reason for each missing number to the warnings, unless one with its code is there: a
/// collector may know better. Call it once the record is complete; twice does no harm.
void explain_missing_numbers(RunRecord& record);

/// The sentence why the number of this code is missing: from the record's warnings, else the usual
/// reason; empty if the number is there.
[[nodiscard]] std::string missing_reason(const RunRecord& record, std::string_view code);

/// The warnings of the record, then those of its counts that are not among them.
[[nodiscard]] std::vector<Warning> all_warnings(const RunRecord& record);

}  // namespace bops
