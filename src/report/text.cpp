#include "report/text.hpp"

#include <algorithm>
#include <string_view>

#include "report/describe.hpp"
#include "report/escape.hpp"

namespace bops {
namespace {

constexpr std::string_view kBold = "\x1b[1m";
constexpr std::string_view kYellow = "\x1b[33m";
constexpr std::string_view kPlain = "\x1b[0m";

std::string styled(std::string_view text, std::string_view style, bool colour) {
  if (!colour) return std::string(text);
  return std::string(style) + std::string(text) + std::string(kPlain);
}

std::string padded(const std::string& cell, std::size_t width, bool to_the_right) {
  const std::string space(width - std::min(width, display_width(cell)), ' ');
  return to_the_right ? space + cell : cell + space;
}

/// Cells two spaces apart, indented by two, without spaces at the end.
std::string line_of(const Table& table, const std::vector<std::string>& cells,
                    const std::vector<std::size_t>& widths) {
  std::string line;
  for (std::size_t column = 0; column < cells.size(); ++column)
    line += "  " + padded(cells[column], widths[column], table.columns[column].numeric);
  line.erase(line.find_last_not_of(' ') + 1);
  return line + '\n';
}

std::vector<std::size_t> column_widths(const Table& table) {
  std::vector<std::size_t> widths;
  for (std::size_t column = 0; column < table.columns.size(); ++column) {
    const Column& described = table.columns[column];
    std::size_t width = std::max(described.minimum_width, display_width(described.heading));
    for (const auto& row : table.rows)
      if (column < row.size()) width = std::max(width, display_width(row[column]));
    widths.push_back(width);
  }
  return widths;
}

std::string facts_text(const std::vector<Fact>& facts) {
  std::size_t width = 0;
  for (const Fact& fact : facts) width = std::max(width, fact.label.size());
  std::string text;
  for (const Fact& fact : facts)
    text += "  " + padded(fact.label, width, false) + "  " + fact.value + '\n';
  return text;
}

}  // namespace

std::string table_text(const Table& table, bool colour) {
  std::string text = styled(table.title, kBold, colour) + '\n';
  if (!table.note.empty()) text += "  " + table.note + '\n';
  if (table.rows.empty()) return text;
  const std::vector<std::size_t> widths = column_widths(table);
  std::vector<std::string> headings;
  for (const Column& column : table.columns) headings.push_back(column.heading);
  text += line_of(table, headings, widths);
  for (const auto& row : table.rows) text += line_of(table, row, widths);
  return text;
}

std::string document_text(const Document& document, bool colour) {
  std::string text = styled(document.title, kBold, colour) + "\n\n";
  text += facts_text(document.facts);
  for (const Table& table : document.tables) text += '\n' + table_text(table, colour);
  if (!document.warnings.empty()) text += '\n' + styled("Warnings", kBold, colour) + '\n';
  for (const Warning& warning : document.warnings)
    text += "  " + styled(warning.message + " [" + warning.code + "]", kYellow, colour) + '\n';
  return text;
}

std::string render_text(const RunRecord& record, const RenderOptions& options) {
  return document_text(describe(record, options.per_thread), options.colour);
}

}  // namespace bops
