// The report as GitHub-flavoured Markdown.
#pragma once

#include <string>

#include "model/run_record.hpp"
#include "report/document.hpp"
#include "report/render.hpp"

namespace bops {

/// Says what the text report says; characters that Markdown or HTML would obey are escaped.
[[nodiscard]] std::string render_markdown(const RunRecord& record, const RenderOptions& options);

/// A document of another room, as render_markdown() draws that of a run.
[[nodiscard]] std::string document_markdown(const Document& document);

}  // namespace bops
