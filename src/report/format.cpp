#include "report/format.hpp"

#include <algorithm>
#include <array>

#include "report/csv.hpp"
#include "report/escape.hpp"
#include "report/html.hpp"
#include "report/json.hpp"
#include "report/markdown.hpp"
#include "report/text.hpp"

namespace bops {
namespace {

constexpr std::array<Format, 5> kFormats{{
    {"text", ".txt", render_text, "for people, on a terminal"},
    {"json", ".json", render_json, "everything, for programs (schema bops.run.v1)"},
    {"csv", ".csv", render_csv, "one row per run, process, thread and image, for spreadsheets"},
    {"markdown", ".md", render_markdown, "for issue trackers and wikis"},
    {"html", ".html", render_html, "one page that needs nothing else"},
}};

std::string listed(std::string_view Format::*field) {
  std::string list;
  for (const Format& format : kFormats) {
    if (!list.empty()) list += ", ";
    list += format.*field;
  }
  return list;
}

}  // namespace

std::span<const Format> formats() {
  return kFormats;
}

const Format* find_format(std::string_view name) {
  const auto* found = std::find_if(kFormats.begin(), kFormats.end(), [name](const Format& format) {
    return format.name == name || format.suffix.substr(1) == name;
  });
  return found == kFormats.end() ? nullptr : found;
}

Result<const Format*> format_for(std::string_view path, std::string_view explicit_name) {
  if (!explicit_name.empty()) {
    if (const Format* format = find_format(explicit_name)) return format;
    return failure("there is no report format " + shell_quoted(explicit_name),
                   "use one of " + listed(&Format::name));
  }
  if (path.empty() || path == "-") return find_format("text");
  const std::string_view file = path.substr(path.rfind('/') + 1);
  const std::size_t dot = file.rfind('.');
  const std::string_view suffix = dot == std::string_view::npos ? "" : file.substr(dot);
  for (const Format& format : kFormats)
    if (format.suffix == suffix) return &format;
  return failure("the name of " + shell_quoted(path) + " does not tell the report format",
                 "end it in one of " + listed(&Format::suffix) +
                     ", or name the format: " + listed(&Format::name));
}

}  // namespace bops
