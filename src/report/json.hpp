// Records as JSON (schemas/bops.run.v1.schema.json, schemas/bops.interval.v1.schema.json) and back.
//
// Counts are JSON integers of full 64 bit width. A number that was not measured is null. Strings
// from outside go through utf8_text() (escape.hpp), so that any bytes survive.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "model/error.hpp"
#include "model/run_record.hpp"
#include "report/render.hpp"

namespace bops {

/// Schema bops.run.v1.
[[nodiscard]] nlohmann::ordered_json to_json(const RunRecord& record);

/// Schema bops.interval.v1.
[[nodiscard]] nlohmann::ordered_json to_json(const IntervalRecord& interval);

/// The "host" object of all schemas.
[[nodiscard]] nlohmann::ordered_json to_json(const HostIdentity& host);

/// The record for people and programs: indented, pure ASCII, ends in a newline.
[[nodiscard]] std::string render_json(const RunRecord& record, const RenderOptions& options);

/// On one line that ends in a newline: the lines of an --interval file, the record last.
[[nodiscard]] std::string render_json_line(const RunRecord& record);
[[nodiscard]] std::string render_json_line(const IntervalRecord& interval);

/// Reads a bops.run.v1 document, or an --interval file whose last line is one. What to_json() wrote
/// comes back equal; counts.warnings come back in warnings. Unknown fields are passed over. Errors
/// name the field. Checks that the numbers agree with each other: the formula with its counts, the
/// totals with the sum of the threads.
[[nodiscard]] Result<RunRecord> from_json(std::string_view text);

}  // namespace bops
