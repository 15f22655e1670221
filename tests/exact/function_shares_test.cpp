// Where the counts are, end to end: each function of a freestanding program has what
// single-stepping finds in its range of addresses, and the functions of real programs sum to the
// run.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <sstream>

#include "collectors/exact/decode/instruction.hpp"
#include "model/bops.hpp"
#include "tests/harness/subprocess.hpp"
#include "tests/oracle/single_stepper.hpp"

namespace bops::exact {
namespace {

using Json = nlohmann::json;

struct Range {
  std::uint64_t start, end;
  std::string name;
};

/// The functions whose size nm knows.
std::vector<Range> sized_functions(const std::string& program) {
  std::istringstream lines(harness::run({"nm", "-S", "--defined-only", program}).output);
  std::vector<Range> ranges;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string start, size, type, name;
    if (words >> start >> size >> type >> name && (type == "t" || type == "T"))
      ranges.push_back({std::stoull(start, nullptr, 16),
                        std::stoull(start, nullptr, 16) + std::stoull(size, nullptr, 16), name});
  }
  return ranges;
}

Json json_of(const InstructionCounts& counts) {
  return {{"instructions", counts.total},
          {"loads", counts.loads},
          {"stores", counts.stores},
          {"branches", counts.branches},
          {"bops_formula", bops_formula(counts)}};
}

/// The same fields of each function of a record.
std::map<std::string, Json> functions_of(const Json& record) {
  std::map<std::string, Json> functions;
  for (const Json& row : record.at("functions")) {
    Json counts;
    for (const char* field : {"instructions", "loads", "stores", "branches", "bops_formula"})
      counts[field] = row.at(field);
    functions.emplace(row.at("name"), counts);
  }
  return functions;
}

/// Adds every number of `row` to `sum`, those of objects in it too.
void add(Json& sum, const Json& row) {
  if (sum.is_null()) sum = Json::object();
  for (const auto& [key, value] : row.items()) {
    if (value.is_object()) add(sum[key], value);
    if (value.is_number()) sum[key] = sum.value(key, std::int64_t{0}) + value.get<std::int64_t>();
  }
}

Json sum_of(const Json& rows) {
  Json sum = Json::object();
  for (const Json& row : rows) add(sum, row);
  return sum;
}

class Functions : public ::testing::TestWithParam<std::tuple<std::string, std::string>> {
 protected:
  std::string engine_ = std::get<0>(GetParam());
  std::string path_ =
      std::string(BOPS_FREESTANDING_PROGRAMS) + "/functions-" + std::get<1>(GetParam());
};

TEST_P(Functions, have_what_single_stepping_finds_in_their_addresses) {
  if (!std::filesystem::exists(path_)) GTEST_SKIP() << "its compiler is not installed";
  const std::vector<Range> ranges = sized_functions(path_);
  std::map<std::string, InstructionCounts> stepped;
  const auto result =
      oracle::single_step({path_}, oracle::Follow::kFirstThread, [&](const oracle::Step& step) {
        const auto range = std::find_if(ranges.begin(), ranges.end(), [&](const Range& r) {
          return step.rip >= r.start && step.rip < r.end;
        });
        // Of _start, a label in assembly, nm knows no size.
        stepped[range != ranges.end() ? range->name : "_start"] +=
            decode_instruction(step.bytes).counts();
      });
  ASSERT_TRUE(result) << result.error().message;
  std::map<std::string, Json> expected;
  for (const auto& [name, counts] : stepped) expected.emplace(name, json_of(counts));
  const auto counted = harness::count({path_}, {"--collector", engine_, "--strict"});
  ASSERT_FALSE(counted.record.is_null()) << counted.ended.errors;
  EXPECT_EQ(functions_of(counted.record), expected);
}

TEST_P(Functions, of_known_weight_have_it_to_the_digit) {
  if (!std::filesystem::exists(path_)) GTEST_SKIP() << "its compiler is not installed";
  const auto counted = harness::count({path_}, {"--collector", engine_, "--strict"});
  ASSERT_FALSE(counted.record.is_null()) << counted.ended.errors;
  const auto functions = functions_of(counted.record);
  EXPECT_EQ(functions.at("falls_through"), json_of({1000 * 2, 0, 0, 0}));
  EXPECT_EQ(functions.at("fallen_into"), json_of({1500 * 2, 1500, 0, 1500}));
  EXPECT_EQ(functions.at("counts_down"), json_of({10 * 2001, 10, 0, 10 * 1001}));
  for (const Json& row : counted.record.at("functions")) EXPECT_EQ(row.at("image"), path_);
}

INSTANTIATE_TEST_SUITE_P(Programs, Functions,
                         ::testing::Combine(::testing::ValuesIn(harness::exact_engines()),
                                            ::testing::Values("gcc-O0", "gcc-O1", "gcc-O2",
                                                              "gcc-O3", "clang-O0", "clang-O1",
                                                              "clang-O2", "clang-O3")),
                         [](const auto& test) {
                           std::string name =
                               std::get<0>(test.param) + "_" + std::get<1>(test.param);
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

using Words = std::vector<std::string>;

class RealProgram : public ::testing::TestWithParam<std::tuple<std::string, Words>> {};

TEST_P(RealProgram, has_functions_that_sum_to_each_image_and_to_the_run) {
  const auto& [engine, command] = GetParam();
  if (::access(command[0].c_str(), X_OK) != 0) GTEST_SKIP() << command[0] << " is not installed";
  const Json record = harness::count(command, {"--collector", engine}).record;
  ASSERT_FALSE(record.is_null());
  const Json& functions = record.at("functions");
  EXPECT_GT(functions.size(), 100U);
  Json totals = record.at("totals");
  for (const char* of_the_run_alone : {"cycles", "bops_per_second"}) totals.erase(of_the_run_alone);
  EXPECT_EQ(sum_of(functions), totals);
  for (const Json& image : record.at("images")) {
    Json rows = Json::array();
    for (const Json& function : functions)
      if (function.at("image") == image.at("path")) rows.push_back(function);
    EXPECT_EQ(sum_of(rows), sum_of(Json::array({image}))) << image.at("path");
  }
}

INSTANTIATE_TEST_SUITE_P(
    Installed, RealProgram,
    ::testing::Combine(::testing::ValuesIn(harness::exact_engines()),
                       ::testing::Values(Words{"/usr/bin/python3", "-c",
                                               "print(sum(i * i for i in range(1000)))"},
                                         Words{"/usr/games/stockfish", "bench", "16", "1", "1"})),
    [](const auto& test) {
      return std::get<0>(test.param) + "_" +
             std::filesystem::path(std::get<1>(test.param)[0]).filename().string();
    });

}  // namespace
}  // namespace bops::exact
