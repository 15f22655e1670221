// The same run over and over, and kills at any moment: nothing differs, nothing counted is lost.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <thread>

#include "tests/harness/subprocess.hpp"

namespace bops {
namespace {

using harness::bops_program;
using harness::run;
using harness::TemporaryDirectory;

const std::string kMix = std::string(BOPS_TRANSCRIPTS) + "/threaded_mix";

TEST(Endurance, a_program_of_threads_and_signals_never_runs_differently) {
  const auto alone = run({kMix, "300"});
  ASSERT_EQ(alone.code, 0) << alone.output;
  for (int i = 0; i < BOPS_ENDURANCE_RUNS; ++i) {
    const auto counted = harness::count({kMix, "300"}, {"--collector", "native", "--strict"});
    ASSERT_EQ(counted.ended.output, alone.output) << "run " << i << ": " << counted.ended.errors;
    ASSERT_EQ(counted.ended.code, 0) << "run " << i;
    ASSERT_EQ(counted.record.at("processes").size(), 6U) << "the forks of rounds 0, 64, ..., 256";
  }
}

pid_t child_of(pid_t parent) {
  const std::string pid = std::to_string(parent);
  std::ifstream children("/proc/" + pid + "/task/" + pid + "/children");
  pid_t child = 0;
  children >> child;
  return child;
}

/// 0 where nothing was counted: the kill came before the target's first instruction.
std::uint64_t instructions(const nlohmann::json& record) {
  const auto& count = record.at("totals").at("instructions");
  return count.is_null() ? 0 : count.get<std::uint64_t>();
}

/// What the last whole interval lines sum to.
std::uint64_t instructions_in_lines(const std::string& path) {
  std::istringstream lines(harness::read_file(path));
  std::uint64_t total = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto interval = nlohmann::json::parse(line, nullptr, false);
    if (interval.is_discarded()) break;  // cut off by the kill
    total += instructions(interval);
  }
  return total;
}

std::vector<std::string> saved_runs(const std::string& state) {
  std::vector<std::string> names;
  std::error_code missing;
  for (const auto& entry : std::filesystem::directory_iterator(state, missing))
    if (entry.is_directory()) names.push_back(entry.path().filename().string());
  return names;
}

TEST(Endurance, kills_at_any_moment_leave_a_profile_with_all_that_snapshots_had_shown) {
  std::mt19937 random(20260801);  // NOLINT(bugprone-random-generator-seed): the same in every run
  for (int i = 0; i < BOPS_ENDURANCE_KILLS; ++i) {
    const TemporaryDirectory directory;
    const std::map<std::string, std::string> state = {{"BOPS_STATE_DIR", directory / "state"}};
    const std::string lines = directory / "lines.json";
    harness::Subprocess bops({bops_program(), "run", "--collector", "native", "--interval", "3ms",
                              "-o", lines, "--", kMix, "0"},
                             state);
    // Before that it may be checking the engine, which is a child, too.
    while (saved_runs(directory / "state").empty()) std::this_thread::yield();
    const bool is_amid_work = i % 4 != 0;
    while (is_amid_work && instructions_in_lines(lines) == 0) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 150'000));
    pid_t target = 0;
    while ((target = child_of(bops.pid())) == 0) std::this_thread::yield();
    ::kill(bops.pid(), SIGKILL);
    (void)bops.wait();
    ::kill(target, SIGKILL);
    while (std::filesystem::exists("/proc/" + std::to_string(target)) &&
           harness::read_file("/proc/" + std::to_string(target) + "/stat").find(") Z ") ==
               std::string::npos)
      std::this_thread::yield();

    const std::uint64_t shown = instructions_in_lines(lines);
    const std::vector<std::string> runs = saved_runs(directory / "state");
    ASSERT_EQ(runs.size(), 1U);
    const std::string path = directory / "r.json";
    const auto recovered = run({bops_program(), "recover", runs[0], "-o", path}, state);
    ASSERT_EQ(recovered.code, 0) << recovered.errors;
    const auto record = nlohmann::json::parse(harness::read_file(path));
    EXPECT_GE(instructions(record), shown) << "kill " << i;
    EXPECT_EQ(record.at("warnings").dump().find("malformed"), std::string::npos);
    EXPECT_TRUE(shown > 0 || !is_amid_work);
  }
}

}  // namespace
}  // namespace bops
