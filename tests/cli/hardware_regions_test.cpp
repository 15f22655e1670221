// Regions with hardware counters, from the command line to the record, on the PMU double; and that
// a program goes its way whatever becomes of the bops that counts it.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>

#include "tests/doubles/pmu/on_pmu_double.hpp"

namespace bops {
namespace {

using harness::Counted, harness::run, harness::target_program;
using Json = nlohmann::json;
using Words = std::vector<std::string>;

Words program_with(const Words& words) {
  Words command{target_program("region_pages_on_double")};
  command.insert(command.end(), words.begin(), words.end());
  return command;
}

class HardwareRegions : public OnPmuDouble {
 protected:
  void mark(const std::string& name) const { std::ofstream(state_ / name).close(); }
  /// Whether the file came, within a time that is long on any machine.
  [[nodiscard]] bool has_come(const std::string& name) const {
    for (int i = 0; i < 20000; ++i) {
      if (::access((state_ / name).c_str(), F_OK) == 0) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
  }
  [[nodiscard]] Words attach(const harness::Subprocess& target, const Words& options) const {
    Words words{harness::bops_program(), "attach", "-p", std::to_string(target.pid())};
    words.insert(words.end(), options.begin(), options.end());
    return words;
  }
};

Json region(const Json& record, const std::string& name) {
  Json found;
  for (const Json& row : record.at("regions"))
    if (row.at("name") == name) {
      EXPECT_TRUE(found.is_null()) << "more than one " << name;
      found = row;
    }
  EXPECT_FALSE(found.is_null()) << "no " << name;
  return found;
}

std::string warning(const Json& record, const std::string& code) {
  for (const Json& each : record.at("warnings"))
    if (each.at("code") == code) return each.at("message");
  return {};
}

TEST_F(HardwareRegions, are_in_the_record_and_the_report_like_those_of_the_exact_engine) {
  const Words command = program_with({"begin", "outer", "touch", "2000", "begin", "inner", "touch",
                                      "2000", "work", "tokens", "4", "end", "end"});
  const Counted counted = harness::count(command, {"--collector", "pmu"}, variables_);
  ASSERT_EQ(counted.ended.code, 0) << counted.ended.errors;
  const Json outer = region(counted.record, "outer"), inner = region(counted.record, "inner");
  EXPECT_GT(inner.at("instructions"), 0);
  EXPECT_GT(outer.at("instructions"), inner.at("instructions"));
  EXPECT_LE(outer.at("instructions"), counted.record.at("threads")[0].at("instructions"));
  for (const Json& row : {outer, inner}) {
    const auto number = [&row](const char* field) { return row.at(field).get<std::int64_t>(); };
    EXPECT_EQ(number("bops_formula"),
              number("instructions") - number("loads") - number("stores") - number("branches"));
    EXPECT_EQ(row.at("work"), Json({{"tokens", 4}}));
    EXPECT_TRUE(row.at("operations").is_null());
  }
  const auto ended = run({harness::bops_program(), "run", "--collector", "pmu", "--", command[0],
                          "begin", "named", "touch", "2000", "work", "images", "3", "end"},
                         variables_);
  EXPECT_NE(ended.errors.find("named"), std::string::npos) << ended.errors;
  EXPECT_NE(ended.errors.find("images"), std::string::npos) << ended.errors;
}

TEST_F(HardwareRegions, without_counts_are_null_with_a_reason_and_no_zero) {
  const Counted counted =
      harness::count(program_with({"begin", "r", "touch", "10", "work", "w", "2", "end"}),
                     {"--collector", "papi"}, variables_);
  ASSERT_EQ(counted.ended.code, 0) << counted.ended.errors;
  const Json row = region(counted.record, "r");
  for (const char* field : {"instructions", "loads", "stores", "branches", "bops_formula"})
    EXPECT_TRUE(row.at(field).is_null()) << field;
  EXPECT_EQ(row.at("entries"), 1);
  EXPECT_NE(warning(counted.record, "regions_not_counted"), "");
  const std::string path = state_ / "record.json";
  std::ofstream(path) << counted.record;
  const auto shown = run({harness::bops_program(), "report", path, "--format", "json"});
  ASSERT_EQ(shown.code, 0) << shown.errors;
  EXPECT_TRUE(Json::parse(shown.output).at("regions")[0].at("instructions").is_null());
}

TEST_F(HardwareRegions, change_nothing_of_what_a_program_prints_and_how_it_ends) {
  const std::vector<Words> scripts{
      {"begin", "a", "threads", "5", "begin", "b", "touch", "5", "end", "join", "end"},
      {"begin", "a", "fork", "begin", "b", "end", "end", "end", "join"},
      {"begin", "a", "exec", "begin", "b", "touch", "5", "end", "end"},
      {"begin", "a", "close", "pipe", "text", "end", "check", "text"},
      {"limit", "4", "begin", "a", "touch", "5", "end", "files", "1"},
      {"begin", "a", "kill"},
      {"begin", "a", "crash"},
      {"begin", "a", "nonsense"}};
  for (const Words& script : scripts) {
    const Words command = program_with(script);
    const auto alone = run(command);
    const Counted counted = harness::count(command, {"--collector", "perf"}, variables_);
    EXPECT_EQ(counted.ended.code, alone.code) << script[2];
    EXPECT_EQ(counted.ended.signal, alone.signal) << script[2];
    EXPECT_EQ(counted.ended.output, alone.output) << script[2];
  }
}

TEST_F(HardwareRegions, go_on_in_a_program_whose_bops_was_killed) {
  const Words command = program_with({"begin",
                                      "r",
                                      "touch",
                                      "10",
                                      "mark",
                                      state_ / "within",
                                      "wait",
                                      state_ / "go",
                                      "end",
                                      "begin",
                                      "r",
                                      "touch",
                                      "10",
                                      "end",
                                      "threads",
                                      "3",
                                      "begin",
                                      "new",
                                      "touch",
                                      "5",
                                      "end",
                                      "join",
                                      "fork",
                                      "begin",
                                      "r",
                                      "end",
                                      "join",
                                      "mark",
                                      state_ / "ended"});
  Words words{harness::bops_program(), "run", "--collector", "perf", "--"};
  words.insert(words.end(), command.begin(), command.end());
  harness::Subprocess bops(words, variables_);
  ASSERT_TRUE(has_come("within"));
  ::kill(bops.pid(), SIGKILL);
  EXPECT_EQ(bops.wait().signal, SIGKILL);
  mark("go");
  EXPECT_TRUE(has_come("ended")) << "the program neither failed nor waits for anybody";
}

TEST_F(HardwareRegions, that_begin_after_bops_attached_are_counted_and_go_on_when_it_leaves) {
  harness::Subprocess target(program_with({"mark",
                                           state_ / "there",
                                           "wait",
                                           state_ / "go",
                                           "begin",
                                           "r",
                                           "touch",
                                           "2000",
                                           "end",
                                           "begin",
                                           "open",
                                           "mark",
                                           state_ / "within",
                                           "wait",
                                           state_ / "more",
                                           "end",
                                           "begin",
                                           "r",
                                           "end",
                                           "threads",
                                           "2",
                                           "begin",
                                           "late",
                                           "end",
                                           "join"}),
                             variables_);
  ASSERT_TRUE(has_come("there"));
  const std::string path = state_ / "record.json";
  // The interval tells that it has attached.
  harness::Subprocess bops(attach(target, {"-o", path, "--interval", "20ms"}), variables_);
  while (::access(path.c_str(), F_OK) != 0 || harness::read_file(path).empty())
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  mark("go");
  ASSERT_TRUE(has_come("within"));
  ::kill(bops.pid(), SIGINT);
  const auto ended = bops.wait();
  EXPECT_EQ(ended.code, 0) << ended.errors;
  mark("more");
  const auto left = target.wait();
  EXPECT_EQ(left.code, 0);
  EXPECT_EQ(left.output, "done\n");
  const std::string text = harness::read_file(path);
  const Json record = Json::parse(text.substr(text.rfind('\n', text.size() - 2) + 1));
  EXPECT_GT(region(record, "r").at("instructions"), 0);
  EXPECT_EQ(region(record, "open").at("entries"), 1);
  EXPECT_EQ(warning(record, "regions_not_counted"), "");
}

TEST_F(HardwareRegions, of_a_program_that_had_some_before_bops_attached_are_told_to_be_missing) {
  harness::Subprocess target(program_with({"begin", "r", "end", "mark", state_ / "there", "wait",
                                           state_ / "go", "begin", "r", "end"}),
                             variables_);
  ASSERT_TRUE(has_come("there"));
  const std::string path = state_ / "record.json";
  const auto ended = run(attach(target, {"--duration", "50ms", "-o", path}), variables_);
  ASSERT_EQ(ended.code, 0) << ended.errors;
  mark("go");
  EXPECT_EQ(target.wait().code, 0);
  const Json record = Json::parse(harness::read_file(path));
  EXPECT_TRUE(record.at("regions").empty());
  EXPECT_NE(warning(record, "regions_not_counted").find("before bops attached"), std::string::npos);
}

}  // namespace
}  // namespace bops
