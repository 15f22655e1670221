// The tables of a report that have a row per thing: processes, threads, images, functions, regions,
// statistics.
#pragma once

#include <vector>

#include "model/run_record.hpp"
#include "report/document.hpp"

namespace bops {

/// Longer lists show those with the most formula BOPs, and one row for all others.
inline constexpr std::size_t kLongestList = 20;

/// In the order of the record; those not counted with the reason, and not in any sum.
[[nodiscard]] Table process_table(const RunCounts& counts);

/// All threads, in the order of the record.
[[nodiscard]] Table thread_table(const RunCounts& counts);

/// The top images by formula BOPs, and by decoded operations where that is another order.
[[nodiscard]] std::vector<Table> image_tables(const RunCounts& counts);

/// The functions that are shown of each order; the records have all.
inline constexpr std::size_t kListedFunctions = 10;

/// The top functions by formula BOPs, and by decoded operations where that is another order, with
/// their shares of the run.
[[nodiscard]] std::vector<Table> function_tables(const RunCounts& counts);

/// The functions of `--sample`, with the limits of their estimates; without rows if there are none.
[[nodiscard]] Table sampled_table(const RunCounts& counts);

/// The regions with the most formula BOPs, each summed over its threads; rows overlap where regions
/// are nested.
[[nodiscard]] Table region_table(const RunCounts& counts);

/// What each unit of work took, in the whole run and in those regions.
[[nodiscard]] Table work_table(const RunCounts& counts);

/// All regions of all threads, in the order of the record.
[[nodiscard]] Table thread_region_table(const RunCounts& counts);

/// Mean, spread and limits over the runs of --repeat.
[[nodiscard]] Table repeat_table(const RepeatSummary& repeat);

}  // namespace bops
