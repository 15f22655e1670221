// bops usage indicators of a run and of records.
#include <gtest/gtest.h>

#include <fstream>

#include "tests/harness/subprocess.hpp"
#include "tests/rating/csv_reader.hpp"
#include "tests/usage/sample_usage.hpp"

namespace bops {
namespace {

using harness::bops_program;
using Json = nlohmann::json;

TEST(IndicatorsCommand, shows_a_run_with_the_work_it_did) {
  const harness::TemporaryDirectory directory;
  const std::string path = directory / "run.json";
  const auto counted = harness::run({bops_program(), "run", "--collector", "native", "--label",
                                     "model_type=fibonacci", "--label", "target_accuracy=100", "-o",
                                     path, "--", harness::target_program("fib"), "15"});
  ASSERT_EQ(counted.code, 0) << counted.errors;
  const Json record = Json::parse(harness::read_file(path));
  std::ofstream(directory / "prices.json")
      << R"([{"unit": "2", "per": 1, "currency": "CNY", "meter": "tokens"}])";
  const std::vector<std::string> command{bops_program(), "usage",    "indicators",
                                         "--run",        path,       "--work",
                                         "tokens=400",   "--prices", directory / "prices.json"};
  const auto with = [&](const std::string& format) {
    std::vector<std::string> words = command;
    words.insert(words.end(), {"--format", format});
    const auto ended = harness::run(words);
    EXPECT_EQ(ended.code, 0) << ended.errors;
    return ended.output;
  };
  const Json row = Json::parse(with("json")).at("rows").at(0);
  EXPECT_EQ(row.at("model_type"), "fibonacci");
  EXPECT_EQ(row.at("target_accuracy"), "100");
  const auto operations = record.at("totals").at("bops_formula").get<std::int64_t>();
  const auto wall_ns = record.at("wall_ns").get<double>();
  EXPECT_EQ(row.at("bops_formula"), std::to_string(operations));
  EXPECT_NEAR(row.at("bops_per_second").get<double>() * wall_ns / 1e9,
              static_cast<double>(operations), 1e-6 * static_cast<double>(operations));
  const Json work = row.at("work").at(0);
  EXPECT_EQ(work.at("unit"), "tokens");
  EXPECT_EQ(work.at("amount"), "400");
  EXPECT_EQ(work.at("processing_rate_unit"), "tokens/min");
  EXPECT_NEAR(work.at("processing_rate").get<double>() * wall_ns / 60e9, 400, 1e-3);
  EXPECT_NEAR(work.at("bops_per_unit").get<double>() * 400, static_cast<double>(operations), 1);
  EXPECT_EQ(row.at("cost"), "800");
  EXPECT_EQ(work.at("cost_per_unit"), "2");

  const auto csv = rating_cases::read_csv(with("csv"));
  ASSERT_EQ(csv.size(), 1U);
  EXPECT_EQ(csv[0].at("model_type"), "fibonacci");
  EXPECT_EQ(csv[0].at("bops_formula"), std::to_string(operations));
  EXPECT_EQ(csv[0].at("work_amount"), "400");
  const std::string text = with("text");
  for (const std::string part :
       {"fibonacci", "400 tokens", "100 %", "tokens/min", "BOPS", "800 CNY"})
    EXPECT_NE(text.find(part), std::string::npos) << part << '\n' << text;
}

TEST(IndicatorsCommand, shows_the_digits_of_a_slow_rate) {
  const harness::TemporaryDirectory directory;
  const std::string path = directory / "run.json";
  const auto counted = harness::run({bops_program(), "run", "--collector", "native", "-o", path,
                                     "--", harness::target_program("fib"), "5"});
  ASSERT_EQ(counted.code, 0) << counted.errors;
  Json record = Json::parse(harness::read_file(path));
  record["wall_ns"] = 20'000'000'000;
  record["totals"]["bops_per_second"] = record["totals"]["bops_formula"].get<std::int64_t>() / 20;
  std::ofstream(path) << record;
  const auto ended =
      harness::run({bops_program(), "usage", "indicators", "--run", path, "--work", "images=3"});
  ASSERT_EQ(ended.code, 0) << ended.errors;
  EXPECT_NE(ended.output.find(" 0.15 images/s"), std::string::npos) << ended.output;
}

TEST(IndicatorsCommand, has_no_rates_for_the_time_of_an_emulator) {
  const harness::TemporaryDirectory directory;
  const std::string path = directory / "run.json";
  const auto counted = harness::run({bops_program(), "run", "--collector", "native", "-o", path,
                                     "--", harness::target_program("fib"), "5"});
  ASSERT_EQ(counted.code, 0) << counted.errors;
  Json record = Json::parse(harness::read_file(path));
  record["time_is_the_targets"] = false;
  record["totals"]["bops_per_second"] = nullptr;
  std::ofstream(path) << record;
  const auto ended =
      harness::run({bops_program(), "usage", "indicators", "--run", path, "--format", "json"});
  ASSERT_EQ(ended.code, 0) << ended.errors;
  const Json row = Json::parse(ended.output).at("rows").at(0);
  EXPECT_TRUE(row.at("bops_per_second").is_null());
  EXPECT_TRUE(row.at("bops_formula").is_string());
}

TEST(IndicatorsCommand, shows_a_period_of_records) {
  const harness::TemporaryDirectory directory;
  std::string lines;
  for (UsageRecord record : samples::usage_chain(20, "/bops/h/b/r")) {
    record.attrs["model"] = "m";
    lines += usage_line(record) + "\n";
  }
  std::ofstream(directory / "use.jsonl") << lines;
  const std::string first = format_utc(samples::usage_chain(1, "/bops/h/b/r").at(0).start);
  const std::string tenth = format_utc(samples::usage_chain(11, "/bops/h/b/r").at(10).start);
  const auto ended =
      harness::run({bops_program(), "usage", "indicators", "--records", directory / "use.jsonl",
                    "--from", first, "--until", tenth, "--format", "json"});
  ASSERT_EQ(ended.code, 0) << ended.errors;
  const Json row = Json::parse(ended.output).at("rows").at(0);
  EXPECT_EQ(row.at("tenant"), "acme");
  EXPECT_EQ(row.at("model_type"), "m");
  EXPECT_EQ(row.at("bops_formula"), "10045") << "1000 + ... + 1009";
  EXPECT_EQ(row.at("time_ns"), 10'000'000'000);
}

TEST(IndicatorsCommand, refuses_what_makes_no_sense) {
  const auto code = [](std::vector<std::string> words) {
    words.insert(words.begin(), {bops_program(), "usage", "indicators"});
    return harness::run(words).code;
  };
  EXPECT_EQ(code({}), 125);
  EXPECT_EQ(code({"--run", "missing.json"}), 125);
  EXPECT_EQ(code({"--records", "missing.jsonl"}), 125);
  EXPECT_EQ(code({"--run", "a", "--records", "b"}), 125);
  EXPECT_EQ(code({"--records", "/dev/null", "--work", "tokens=1"}), 125);
}

}  // namespace
}  // namespace bops
