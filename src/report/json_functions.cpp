#include "report/json_functions.hpp"

#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <string_view>
#include <type_traits>

#include "model/bops.hpp"
#include "report/escape.hpp"

namespace bops {
namespace {

std::string json_string(const std::string& bytes) {
  return nlohmann::json(utf8_text(bytes)).dump(-1, ' ', true);
}

/// Writes objects member by member.
class RowWriter {
 public:
  RowWriter(std::string& text, bool on_one_line) : text_(text), on_one_line_(on_one_line) {}

  void begin_row() { open('{'); }
  void end_row() { close('}'); }
  void begin(std::string_view name) {
    key(name);
    open('{');
  }
  void end() { close('}'); }
  void null(std::string_view name) {
    key(name);
    text_ += "null";
  }
  /// `value` is JSON.
  void member(std::string_view name, std::string_view value) {
    key(name);
    text_ += value;
  }
  template <class Integer>
  requires std::is_integral_v<Integer>
  void member(std::string_view name, Integer value) {
    key(name);
    std::array<char, 20> digits{};  // of any 64-bit integer, sign included
    const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), value);
    text_.append(digits.data(), written.ptr);
  }
  /// Goes to the next member or row.
  void next() {
    if (!first_) text_ += ',';
    first_ = false;
    line();
  }

 private:
  void key(std::string_view name) {
    next();
    text_ += '"';
    text_ += name;
    text_ += on_one_line_ ? "\":" : "\": ";
  }
  void open(char bracket) {
    text_ += bracket;
    ++depth_;
    first_ = true;
  }
  void close(char bracket) {
    --depth_;
    first_ = false;
    line();
    text_ += bracket;
  }
  void line() {
    if (on_one_line_) return;
    text_ += '\n';
    text_.append(2 * depth_, ' ');
  }

  std::string& text_;
  bool on_one_line_;
  bool first_ = true;
  std::size_t depth_ = 2;  // in the document, in the list
};

void write_counts(RowWriter& row, const Counts& counts, bool measured) {
  const InstructionCounts& instructions = counts.instructions;
  if (!measured) {
    for (const char* name : {"instructions", "loads", "stores", "branches", "bops_formula",
                             "operations", "instruction_classes"})
      row.null(name);
    return;
  }
  row.member("instructions", instructions.total);
  row.member("loads", instructions.loads);
  row.member("stores", instructions.stores);
  row.member("branches", instructions.branches);
  row.member("bops_formula", bops_formula(instructions));
  if (counts.operations) {
    row.begin("operations");
    row.member("integer", counts.operations->integer);
    row.member("floating_point", counts.operations->floating_point);
    row.member("address", counts.operations->address);
    row.member("total", counts.operations->total());
    row.end();
  } else {
    row.null("operations");
  }
  if (counts.classes) {
    row.begin("instruction_classes");
    row.member("branch", counts.classes->branch);
    row.member("load", counts.classes->load);
    row.member("store", counts.classes->store);
    row.member("load_store", counts.classes->load_store);
    row.member("floating_point", counts.classes->floating_point);
    row.member("integer", counts.classes->integer);
    row.member("other", counts.classes->other);
    row.end();
  } else {
    row.null("instruction_classes");
  }
}

}  // namespace

void insert_functions(std::string& document, std::span<const FunctionCounts> functions,
                      bool measured, bool on_one_line) {
  if (functions.empty()) return;
  // Of strings, no part looks like this: they have neither quotation marks nor line feeds.
  const std::string_view empty = on_one_line ? ",\"functions\":[]" : "\n  \"functions\": []";
  const std::size_t place = document.find(empty) + empty.size() - 1;
  std::string rows;
  RowWriter writer(rows, on_one_line);
  const std::string* image = nullptr;
  std::string image_text;
  for (const FunctionCounts& function : functions) {
    if (image == nullptr || *image != function.image) image_text = json_string(function.image);
    image = &function.image;
    writer.next();
    writer.begin_row();
    writer.member("image", image_text);
    writer.member("name", json_string(function.name));
    write_counts(writer, function.counts, measured);
    writer.end_row();
  }
  if (!on_one_line) rows += "\n  ";
  document.insert(place, rows);
}

}  // namespace bops
