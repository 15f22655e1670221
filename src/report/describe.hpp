// Turns a record into what a report for people says.
#pragma once

#include "model/run_record.hpp"
#include "report/document.hpp"

namespace bops {

/// The whole report; the table of threads only with `per_thread`.
[[nodiscard]] Document describe(const RunRecord& record, bool per_thread);

/// "exact: every executed user instruction was counted".
[[nodiscard]] std::string quality_in_words(const RunRecord& record);

}  // namespace bops
