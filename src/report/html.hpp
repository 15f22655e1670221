// The report as one HTML page that needs nothing else: no scripts, no links, no fonts.
#pragma once

#include <string>

#include "model/run_record.hpp"
#include "report/render.hpp"

namespace bops {

/// Says what the text report says; UTF-8, everything from outside escaped.
[[nodiscard]] std::string render_html(const RunRecord& record, const RenderOptions& options);

}  // namespace bops
