// The table of report formats: one row each.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "model/error.hpp"
#include "model/run_record.hpp"
#include "report/render.hpp"

namespace bops {

using Render = std::string (*)(const RunRecord& record, const RenderOptions& options);

struct Format {
  std::string_view name;    ///< as on the command line: "markdown"
  std::string_view suffix;  ///< of file names: ".md"
  Render render;
  std::string_view title;  ///< one line for people
};

[[nodiscard]] std::span<const Format> formats();

/// The format of that name, or of that suffix without its dot; null if there is none.
[[nodiscard]] const Format* find_format(std::string_view name);

/// The format for a report at `path`: the named one if `explicit_name` is not empty, else by the
/// suffix; text for standard output and error ("-" or empty). Errors list the formats there are.
[[nodiscard]] Result<const Format*> format_for(std::string_view path,
                                               std::string_view explicit_name);

}  // namespace bops
