// The worked examples of the contract, each through the built program.
#include <gtest/gtest.h>

#include <fstream>

#include "tests/harness/subprocess.hpp"

namespace bops {
namespace {

using harness::bops_program;
using harness::Ended;
using harness::TemporaryDirectory;
using Json = nlohmann::json;

std::vector<Json> vectors() {
  return Json::parse(harness::read_file(BOPS_RATING_VECTORS)).get<std::vector<Json>>();
}

Json vector_named(const std::string& name) {
  for (const Json& vector : vectors())
    if (vector.at("name") == name) return vector;
  return {};
}

void write(const std::string& path, const Json& json) {
  std::ofstream(path) << json.dump(1) << '\n';
}

/// `bops usage rate` of the example, whose parts become files.
Ended rate(const Json& vector, const std::vector<std::string>& more = {}) {
  const TemporaryDirectory directory;
  write(directory / "records.json", vector.at("records"));
  write(directory / "packages.json", vector.at("packages"));
  write(directory / "prices.json", vector.at("price"));
  std::vector<std::string> command{bops_program(),
                                   "usage",
                                   "rate",
                                   "--records",
                                   directory / "records.json",
                                   "--packages",
                                   directory / "packages.json",
                                   "--prices",
                                   directory / "prices.json",
                                   "--format",
                                   "json"};
  const std::map<std::string, std::string> options{
      {"boundary", "--boundary"}, {"now", "--cutoff"}, {"cutoff", "--cutoff"}};
  for (const auto& [name, value] : vector.at("opts").items()) {
    command.push_back(options.at(name));
    command.push_back(value.is_string() ? value.get<std::string>() : value.dump());
  }
  command.insert(command.end(), more.begin(), more.end());
  return harness::run(command);
}

std::vector<Json> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<Json> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(Json::parse(line));
  return lines;
}

std::vector<std::string> names() {
  std::vector<std::string> names;
  for (const Json& vector : vectors()) names.push_back(vector.at("name"));
  return names;
}

class EveryVector : public testing::TestWithParam<std::string> {};

TEST_P(EveryVector, comes_out_to_the_digit) {
  const Json vector = vector_named(GetParam());
  const Json& expected = vector.at("expect");
  if (vector.contains("old")) {
    const TemporaryDirectory directory;
    const Ended before = rate(vector_named(vector.at("old")));
    std::ofstream(directory / "lines") << before.output;
    const Ended changes = rate(vector_named(vector.at("new")), {"--previous", directory / "lines"});
    EXPECT_EQ(changes.code, 0) << changes.errors;
    EXPECT_EQ(Json(lines_of(changes.output)), expected) << changes.output;
    return;
  }
  const Ended ended = rate(vector);
  EXPECT_EQ(ended.code, 0) << ended.errors;
  if (expected.is_array()) {
    EXPECT_EQ(Json(lines_of(ended.output)), expected) << ended.output << ended.errors;
    EXPECT_EQ(ended.errors.find("conflict"), std::string::npos) << ended.errors;
    return;
  }
  // No other record of these examples is left to rate.
  EXPECT_EQ(ended.output, "");
  const std::string key = expected.at("key").dump();
  EXPECT_NE(ended.errors.find("bops: quarantined: conflict " + key), std::string::npos)
      << key << '\n'
      << ended.errors;
  EXPECT_EQ(rate(vector, {"--strict"}).code, 1);
}

INSTANTIATE_TEST_SUITE_P(contract, EveryVector, testing::ValuesIn(names()),
                         [](const auto& each) { return each.param; });

}  // namespace
}  // namespace bops
