#include "tests/decode/golden_table.hpp"

#include <array>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace bops::exact {
namespace {

constexpr std::array<std::pair<const char*, InstructionClass>, 7> kClassNames{
    {{"branch", InstructionClass::kBranch},
     {"load", InstructionClass::kLoad},
     {"store", InstructionClass::kStore},
     {"load_store", InstructionClass::kLoadStore},
     {"floating_point", InstructionClass::kFloatingPoint},
     {"integer", InstructionClass::kInteger},
     {"other", InstructionClass::kOther}}};

InstructionClass class_named(const std::string& name) {
  for (const auto& [text, instruction_class] : kClassNames) {
    if (name == text) return instruction_class;
  }
  throw std::runtime_error("no instruction class: " + name);
}

std::vector<std::string> cells(const std::string& line) {
  std::vector<std::string> result;
  std::size_t start = 0;
  for (std::size_t bar = line.find(" | "); bar != std::string::npos;
       bar = line.find(" | ", start)) {
    result.push_back(line.substr(start, bar - start));
    start = bar + 3;
  }
  result.push_back(line.substr(start));
  return result;
}

GoldenRow parse_row(const std::string& line) {
  const std::vector<std::string> cell = cells(line);
  if (cell.size() != 5) throw std::runtime_error("not five cells: " + line);
  GoldenRow row;
  row.line = line;
  for (std::size_t at = 0; at + 1 < cell[0].size(); at += 2) {
    row.bytes.push_back(static_cast<std::uint8_t>(std::stoul(cell[0].substr(at, 2), nullptr, 16)));
  }
  row.expected.length = static_cast<std::uint8_t>(row.bytes.size());
  row.expected.known = true;
  row.expected.load = cell[2].find('l') != std::string::npos;
  row.expected.store = cell[2].find('s') != std::string::npos;
  row.expected.branch = cell[2].find('b') != std::string::npos;
  row.expected.instruction_class = class_named(cell[3]);
  std::istringstream numbers(cell[4]);
  Operations& operations = row.expected.operations;
  numbers >> operations.integer >> operations.floating_point >> operations.address;
  if (!numbers) throw std::runtime_error("not three numbers: " + line);
  return row;
}

}  // namespace

std::vector<GoldenRow> read_golden_table(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot open " + path);
  std::vector<GoldenRow> rows;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line[0] != '#') rows.push_back(parse_row(line));
  }
  return rows;
}

std::string to_string(InstructionClass instruction_class) {
  for (const auto& [text, candidate] : kClassNames) {
    if (candidate == instruction_class) return text;
  }
  return "none";
}

}  // namespace bops::exact
