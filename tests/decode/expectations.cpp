#include "tests/decode/expectations.hpp"

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <stdexcept>

namespace bops::exact {
namespace {

using Lines = std::map<std::string, std::string>;

Lines tagged_lines(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot open " + path);
  Lines lines;
  for (std::string line; std::getline(file, line);) {
    for (const char* tag : {"expect", "class", "needs", "exit"}) {
      const std::string start = std::string("# ") + tag + ": ";
      if (line.starts_with(start)) lines[tag] = line.substr(start.size());
    }
  }
  return lines;
}

std::vector<std::string> words(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> result;
  for (std::string word; stream >> word;) result.push_back(word);
  return result;
}

// "a=1 b=2"
std::map<std::string, std::int64_t> numbers(const std::string& line) {
  std::map<std::string, std::int64_t> result;
  for (const std::string& word : words(line)) {
    const std::size_t equals = word.find('=');
    result[word.substr(0, equals)] = std::stoll(word.substr(equals + 1));
  }
  return result;
}

// The names in which the kernel's differ from the manuals'.
std::string cpuinfo_name(const std::string& feature) {
  static const std::map<std::string, std::string> names{
      {"sse4.1", "sse4_1"}, {"sse4.2", "sse4_2"}, {"bmi", "bmi1"}, {"lzcnt", "abm"}};
  const auto found = names.find(feature);
  return found == names.end() ? feature : found->second;
}

std::set<std::string> cpu_features() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("flags")) {
      const std::vector<std::string> flags = words(line.substr(line.find(':') + 1));
      return {flags.begin(), flags.end()};
    }
  }
  return {};
}

}  // namespace

Expectations read_expectations(const std::string& source_path) {
  const Lines lines = tagged_lines(source_path);
  const auto expect = numbers(lines.at("expect"));
  const auto classes = numbers(lines.at("class"));
  const auto count = [](const std::map<std::string, std::int64_t>& from, const char* name) {
    return static_cast<std::uint64_t>(from.at(name));
  };
  Expectations result;
  result.instructions = {.total = count(expect, "instructions"),
                         .loads = count(expect, "loads"),
                         .stores = count(expect, "stores"),
                         .branches = count(expect, "branches")};
  result.bops_formula = expect.at("bops_formula");
  result.operations = {.integer = count(expect, "integer"),
                       .floating_point = count(expect, "floating_point"),
                       .address = count(expect, "address")};
  result.classes = {.branch = count(classes, "branch"),
                    .load = count(classes, "load"),
                    .store = count(classes, "store"),
                    .load_store = count(classes, "load_store"),
                    .floating_point = count(classes, "floating_point"),
                    .integer = count(classes, "integer"),
                    .other = count(classes, "other")};
  if (lines.contains("needs")) result.needs = words(lines.at("needs"));
  result.exit_code = std::stoi(lines.at("exit"));
  return result;
}

std::string missing_feature(const std::vector<std::string>& needs) {
  const std::set<std::string> have = cpu_features();
  const auto missing = std::ranges::find_if(
      needs, [&](const std::string& need) { return !have.contains(cpuinfo_name(need)); });
  return missing == needs.end() ? std::string() : *missing;
}

}  // namespace bops::exact
