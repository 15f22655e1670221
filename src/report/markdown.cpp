#include "report/markdown.hpp"

#include <string_view>

#include "report/describe.hpp"

namespace bops {
namespace {

std::string escaped(std::string_view text) {
  std::string markdown;
  for (const char character : text) {
    if (character == '&') {
      markdown += "&amp;";
    } else if (character == '<') {
      markdown += "&lt;";
    } else {
      if (std::string_view("\\`*_[]>|~#$@").find(character) != std::string_view::npos)
        markdown += '\\';
      markdown += character;
    }
  }
  return markdown;
}

std::string table_markdown(const Table& table) {
  std::string text = "\n## " + escaped(table.title) + "\n";
  if (!table.note.empty()) text += '\n' + escaped(table.note) + '\n';
  if (table.rows.empty()) return text;
  text += "\n|";
  for (const Column& column : table.columns) text += ' ' + escaped(column.heading) + " |";
  text += "\n|";
  for (const Column& column : table.columns) text += column.numeric ? " ---: |" : " --- |";
  text += '\n';
  for (const auto& row : table.rows) {
    text += '|';
    for (std::size_t column = 0; column < table.columns.size(); ++column)
      text += ' ' + (column < row.size() ? escaped(row[column]) : std::string()) + " |";
    text += '\n';
  }
  return text;
}

}  // namespace

std::string document_markdown(const Document& document) {
  std::string text = "# " + escaped(document.title) + "\n\n";
  for (const Fact& fact : document.facts)
    text += "- **" + fact.label + "**: " + escaped(fact.value) + '\n';
  for (const Table& table : document.tables) text += table_markdown(table);
  if (!document.warnings.empty()) text += "\n## Warnings\n\n";
  for (const Warning& warning : document.warnings)
    text += "- " + escaped(warning.message) + " (" + escaped(warning.code) + ")\n";
  return text;
}

std::string render_markdown(const RunRecord& record, const RenderOptions& options) {
  return document_markdown(describe(record, options.per_thread));
}

}  // namespace bops
