// The report for people on a terminal.
#pragma once

#include <string>

#include "model/run_record.hpp"
#include "report/document.hpp"
#include "report/render.hpp"

namespace bops {

/// Aligned columns, ASCII but for names that are not; nothing from outside is raw (escape.hpp).
[[nodiscard]] std::string render_text(const RunRecord& record, const RenderOptions& options);

/// A document of another room, as render_text() draws that of a run.
[[nodiscard]] std::string document_text(const Document& document, bool colour);

/// A table alone, as render_text() draws it; ends in a newline.
[[nodiscard]] std::string table_text(const Table& table, bool colour);

}  // namespace bops
