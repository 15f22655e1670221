#include "report/html.hpp"

#include <string_view>

#include "report/describe.hpp"

namespace bops {
namespace {

constexpr std::string_view kStyle = R"(<style>
body { font-family: sans-serif; margin: 2em; max-width: 70em; }
h1 { font-size: 1.3em; overflow-wrap: anywhere; }
h2 { font-size: 1.1em; }
table { border-collapse: collapse; }
th, td { padding: 0.15em 0.8em; text-align: left; border-bottom: 1px solid #ddd; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
</style>
)";

std::string escaped(std::string_view text) {
  std::string html;
  for (const char character : text) {
    switch (character) {
      case '&': html += "&amp;"; break;
      case '<': html += "&lt;"; break;
      case '>': html += "&gt;"; break;
      case '"': html += "&quot;"; break;
      case '\'': html += "&#39;"; break;
      default: html += character;
    }
  }
  return html;
}

std::string cell(std::string_view tag, const Column& column, std::string_view text) {
  const std::string name(tag);
  return '<' + name + (column.numeric ? " class=\"number\">" : ">") + escaped(text) + "</" + name +
         '>';
}

std::string table_html(const Table& table) {
  std::string html = "<h2>" + escaped(table.title) + "</h2>\n";
  if (!table.note.empty()) html += "<p>" + escaped(table.note) + "</p>\n";
  if (table.rows.empty()) return html;
  html += "<table>\n<tr>";
  for (const Column& column : table.columns) html += cell("th", column, column.heading);
  html += "</tr>\n";
  for (const auto& row : table.rows) {
    html += "<tr>";
    for (std::size_t column = 0; column < table.columns.size(); ++column)
      html += cell("td", table.columns[column], column < row.size() ? row[column] : "");
    html += "</tr>\n";
  }
  return html + "</table>\n";
}

}  // namespace

std::string render_html(const RunRecord& record, const RenderOptions& options) {
  const Document document = describe(record, options.per_thread);
  const std::string title = escaped(document.title);
  std::string html = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
  html += "<title>" + title + "</title>\n" + std::string(kStyle) + "</head>\n<body>\n";
  html += "<h1>" + title + "</h1>\n<table>\n";
  for (const Fact& fact : document.facts)
    html += "<tr><th>" + escaped(fact.label) + "</th><td>" + escaped(fact.value) + "</td></tr>\n";
  html += "</table>\n";
  for (const Table& table : document.tables) html += table_html(table);
  if (!document.warnings.empty()) html += "<h2>Warnings</h2>\n<ul>\n";
  for (const Warning& warning : document.warnings)
    html += "<li>" + escaped(warning.message) + " (" + escaped(warning.code) + ")</li>\n";
  if (!document.warnings.empty()) html += "</ul>\n";
  return html + "</body>\n</html>\n";
}

}  // namespace bops
