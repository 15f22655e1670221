// What is left of a run with hardware counters whose bops was killed: its last snapshot. On the PMU
// double.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <set>
#include <thread>

#include "tests/doubles/pmu/on_pmu_double.hpp"

namespace bops {
namespace {

using harness::run, harness::Subprocess, harness::target_program;
using Json = nlohmann::json;
using Words = std::vector<std::string>;

class HardwareRecovery : public OnPmuDouble {
 protected:
  [[nodiscard]] static Words bops(const Words& options) {
    Words words{harness::bops_program()};
    words.insert(words.end(), options.begin(), options.end());
    return words;
  }
  /// The run whose snapshot is there, as soon as it is; waits as long as it takes.
  [[nodiscard]] std::string run_with_snapshot() const {
    for (int i = 0; i < 20000; ++i) {
      std::error_code error;
      for (const auto& entry : std::filesystem::directory_iterator(state_.path(), error))
        if (std::filesystem::exists(entry.path() / "snapshot.json", error))
          return entry.path().filename();
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    ADD_FAILURE() << "no snapshot came";
    return "none";
  }
  /// The record that `bops recover` makes.
  [[nodiscard]] Json recover(const std::string& name) const {
    const std::string path = state_ / "recovered.json";
    const auto ended = run(bops({"recover", name, "-o", path}), variables_);
    EXPECT_EQ(ended.code, 0) << ended.errors;
    const std::string text = harness::read_file(path);
    return text.empty() ? Json() : Json::parse(text);
  }
};

std::set<std::string> codes_of(const Json& record) {
  std::set<std::string> codes;
  for (const Json& warning : record.at("warnings")) codes.insert(warning.at("code"));
  return codes;
}

TEST_F(HardwareRecovery, gives_the_counts_of_the_last_snapshot_by_each_collector) {
  for (const char* collector : {"pmu", "papi", "perf"}) {
    Subprocess killed(bops({"run", "--collector", collector, "--label", "key=value", "--",
                            target_program("busy_loop")}),
                      variables_);
    const std::string name = run_with_snapshot();
    struct stat status {};
    ASSERT_EQ(::stat((state_ / (name + "/snapshot.json")).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    ::kill(killed.pid(), SIGKILL);
    EXPECT_EQ(killed.wait().signal, SIGKILL);
    const Json record = recover(name);
    ASSERT_FALSE(record.is_null());
    const auto pid = record.at("processes")[0].at("pid").get<pid_t>();
    EXPECT_EQ(::kill(pid, SIGKILL), 0) << "the target lives on";
    EXPECT_GT(record.at("totals").at("instructions"), 0) << collector;
    EXPECT_EQ(record.at("threads")[0].at("instructions"), record.at("totals").at("instructions"));
    EXPECT_EQ(record.at("quality"), "partial");
    EXPECT_EQ(record.at("command")[0], target_program("busy_loop"));
    EXPECT_EQ(record.at("labels"), Json({{"key", "value"}}));
    EXPECT_GE(record.at("wall_ns"), 1'000'000'000) << "the first comes after a second";
    EXPECT_TRUE(codes_of(record).contains("recovered"));
    EXPECT_TRUE(codes_of(record).contains("still_running"));
    EXPECT_FALSE(std::filesystem::exists(state_ / name)) << "it is in a record now";
  }
}

TEST_F(HardwareRecovery, has_regions_too) {
  Subprocess killed(
      bops({"run", "--collector", "perf", "--", target_program("region_pages_on_double"), "begin",
            "r", "touch", "2000", "work", "w", "3", "wait", state_ / "never"}),
      variables_);
  const std::string name = run_with_snapshot();
  ::kill(killed.pid(), SIGKILL);
  (void)killed.wait();
  const Json record = recover(name);
  ASSERT_FALSE(record.is_null());
  ::kill(record.at("processes")[0].at("pid").get<pid_t>(), SIGKILL);
  ASSERT_EQ(record.at("regions").size(), 1U);
  EXPECT_GT(record.at("regions")[0].at("instructions"), 0);
  EXPECT_EQ(record.at("regions")[0].at("work"), Json({{"w", 3}}));
}

TEST_F(HardwareRecovery, of_bops_attach_works_alike_and_keeps_no_redacted_word) {
  Subprocess target({target_program("busy_loop")});
  Subprocess killed(bops({"attach", "-p", std::to_string(target.pid()), "--redact"}), variables_);
  const std::string name = run_with_snapshot();
  ::kill(killed.pid(), SIGKILL);
  (void)killed.wait();
  for (const auto& entry : std::filesystem::directory_iterator(state_ / name))
    EXPECT_EQ(harness::read_file(entry.path()).find("\"command\":["), std::string::npos)
        << entry.path();
  const Json record = recover(name);
  ASSERT_FALSE(record.is_null());
  EXPECT_GT(record.at("totals").at("instructions"), 0);
  EXPECT_TRUE(record.at("command").is_null());
  EXPECT_TRUE(codes_of(record).contains("attached"));
}

TEST_F(HardwareRecovery, of_a_record_that_could_not_be_written_gives_all_of_it) {
  const auto ended = run(bops({"run", "--collector", "perf", "-o", "/dev/full", "--format", "json",
                               "--", target_program("threads"), "3", "1000"}),
                         variables_);
  ASSERT_EQ(ended.code, 125) << ended.errors;
  const std::string words = "bops recover ";
  const std::size_t begin = ended.errors.find(words);
  ASSERT_NE(begin, std::string::npos) << ended.errors;
  const std::string rest = ended.errors.substr(begin + words.size());
  const Json record = recover(rest.substr(0, rest.find(' ')));
  ASSERT_FALSE(record.is_null());
  EXPECT_EQ(record.at("threads").size(), 4U);
  EXPECT_EQ(record.at("exit").at("code"), 0);
  EXPECT_FALSE(codes_of(record).contains("recovered"));
  EXPECT_NE(record.at("quality"), "partial");
}

TEST_F(HardwareRecovery, before_the_first_snapshot_says_that_there_is_none) {
  // A run that was killed at once: its directory with the manifest, and nothing else.
  Subprocess killed(bops({"run", "--collector", "perf", "--", target_program("busy_loop")}),
                    variables_);
  const std::string name = run_with_snapshot();
  ::kill(killed.pid(), SIGKILL);
  (void)killed.wait();
  const Json snapshot = Json::parse(harness::read_file(state_ / (name + "/snapshot.json")));
  ::kill(snapshot.at("processes")[0].at("pid").get<pid_t>(), SIGKILL);
  std::filesystem::remove(state_ / (name + "/snapshot.json"));
  const auto ended = run(bops({"recover", name}), variables_);
  EXPECT_EQ(ended.code, 125);
  EXPECT_NE(ended.errors.find("before its first snapshot"), std::string::npos) << ended.errors;
}

}  // namespace
}  // namespace bops
