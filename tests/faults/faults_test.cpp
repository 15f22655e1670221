// What must not go wrong when things go wrong.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "tests/harness/subprocess.hpp"

namespace bops {
namespace {

using harness::bops_program;
using harness::run;
using harness::Subprocess;
using harness::target_program;
using harness::TemporaryDirectory;

std::uint64_t instructions(const nlohmann::json& record) {
  return record.at("totals").at("instructions").get<std::uint64_t>();
}

void sleep_ms(int milliseconds) {
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
}

/// Moments over the first 300 ms, spread without a pattern but the same in every run.
std::vector<int> moments(int count) {
  std::vector<int> values;
  unsigned state = 20260101;
  for (int i = 0; i < count; ++i)
    values.push_back(40 + static_cast<int>((state = state * 1103515245U + 12345U) >> 16) % 260);
  return values;
}

std::vector<std::string> saved_runs(const std::string& state) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(state))
    if (entry.is_directory()) names.push_back(entry.path().filename().string());
  return names;
}

/// The target of a bops, found among its children.
pid_t target_of(pid_t bops) {
  std::ifstream children("/proc/" + std::to_string(bops) + "/task/" + std::to_string(bops) +
                         "/children");
  pid_t pid = 0;
  children >> pid;
  return pid;
}

/// Waits until the target of a bops has used 100 ms of a CPU, so that it is in the midst of its
/// work.
void wait_for_work(pid_t bops) {
  constexpr unsigned long kTicks = 10;  // of 10 ms each
  for (unsigned long user = 0; user < kTicks; sleep_ms(5)) {
    std::string text = harness::read_file("/proc/" + std::to_string(target_of(bops)) + "/stat");
    std::istringstream fields(text.erase(0, text.rfind(')') + 1));
    std::string skipped;
    for (int i = 3; i < 14; ++i) fields >> skipped;
    fields >> user;
  }
}

/// What must hold under each exact engine.
class EngineFaults : public ::testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(Engines, EngineFaults, ::testing::ValuesIn(harness::exact_engines()),
                         [](const auto& test) { return test.param; });

TEST_P(EngineFaults, a_target_killed_at_any_moment_leaves_its_counts) {
  // The first run of an engine looks whether it works: that is another child.
  ASSERT_EQ(run({bops_program(), "run", "--collector", GetParam(), "--", "/bin/true"}).code, 0);
  for (const int moment : moments(12)) {
    const TemporaryDirectory directory;
    const std::string path = directory / "r.json";
    Subprocess bops({bops_program(), "run", "--collector", GetParam(), "-o", path, "--",
                     target_program("busy_loop")});
    sleep_ms(moment);
    pid_t target = 0;
    while ((target = target_of(bops.pid())) == 0) sleep_ms(1);
    ::kill(target, SIGKILL);
    EXPECT_EQ(bops.wait().signal, SIGKILL);
    const std::string text = harness::read_file(path);
    if (text.empty()) continue;  // killed before it was released: it never ran
    const auto record = nlohmann::json::parse(text);
    EXPECT_NE(record.at("quality"), "partial");
    EXPECT_EQ(record.at("exit").at("signal"), SIGKILL);
  }
}

TEST_P(EngineFaults, bops_killed_at_any_moment_loses_nothing_that_recover_cannot_bring_back) {
  // Some seconds of work, so that all moments are in the midst of it.
  const std::string work = GetParam() == "qemu" ? "200000000" : "4000000000";
  for (const int moment : moments(6)) {
    const TemporaryDirectory directory;
    const std::map<std::string, std::string> state = {{"BOPS_STATE_DIR", directory / "state"}};
    const std::string begun = directory / "begun", done = directory / "done";
    Subprocess bops(
        {bops_program(), "run", "--collector", GetParam(), "--label", "k=v", "--", "/bin/sh", "-c",
         "echo > " + begun + "; " + target_program("busy_loop") + " " + work + "; echo > " + done},
        state);
    while (::access(begun.c_str(), F_OK) != 0) sleep_ms(1);
    sleep_ms(moment);
    const pid_t target = target_of(bops.pid());
    ::kill(bops.pid(), SIGKILL);
    (void)bops.wait();
    ASSERT_NE(target, 0);
    for (int i = 0; i < 4000 && ::access(done.c_str(), F_OK) != 0; ++i) sleep_ms(25);
    ASSERT_EQ(::access(done.c_str(), F_OK), 0) << "the target lives on";
    sleep_ms(100);

    const auto runs = saved_runs(directory / "state");
    ASSERT_EQ(runs.size(), 1U);
    EXPECT_NE(run({bops_program(), "recover"}, state).output.find(runs[0]), std::string::npos);
    const std::string path = directory / "r.json";
    ASSERT_EQ(run({bops_program(), "recover", runs[0], "-o", path}, state).code, 0);
    const auto record = nlohmann::json::parse(harness::read_file(path));
    EXPECT_GT(instructions(record), 2 * std::stoull(work)) << "also what ran after bops had died";
    EXPECT_EQ(record.at("labels").at("k"), "v");
    EXPECT_EQ(record.at("command").at(0), "/bin/sh");
    EXPECT_TRUE(record.at("exit").at("code").is_null());
    EXPECT_TRUE(saved_runs(directory / "state").empty()) << "recovered, so removed";
  }
}

TEST(Faults, recovering_nonsense_is_refused) {
  const TemporaryDirectory directory;
  const std::map<std::string, std::string> state = {{"BOPS_STATE_DIR", directory.path()}};
  EXPECT_EQ(run({bops_program(), "recover", "../etc"}, state).code, 125);
  EXPECT_EQ(run({bops_program(), "recover", "never"}, state).code, 125);
  std::filesystem::create_directory(directory / "broken");
  std::ofstream(directory / "broken/manifest.json") << "{\"schema\": 1";
  const auto ended = run({bops_program(), "recover", "broken"}, state);
  EXPECT_EQ(ended.code, 125);
  EXPECT_TRUE(std::filesystem::exists(directory / "broken")) << "nothing is lost";
}

TEST(Faults, a_full_disk_under_the_report_keeps_the_counts) {
  const TemporaryDirectory directory;
  const std::map<std::string, std::string> state = {{"BOPS_STATE_DIR", directory / "state"}};
  const auto ended = run(
      {bops_program(), "run", "-o", "/dev/full", "--format", "json", "--", "/bin/echo", "hello"},
      state);
  EXPECT_EQ(ended.code, 125);
  EXPECT_EQ(ended.output, "hello\n");
  const auto runs = saved_runs(directory / "state");
  ASSERT_EQ(runs.size(), 1U);
  EXPECT_NE(ended.errors.find("bops recover " + runs[0]), std::string::npos) << ended.errors;
  EXPECT_EQ(run({bops_program(), "recover", runs[0]}, state).code, 0);
}

TEST_P(EngineFaults, a_full_disk_under_the_profile_neither_harms_the_target_nor_goes_unsaid) {
  const TemporaryDirectory directory;
  const std::string mount = directory / "small";
  std::filesystem::create_directory(mount);
  if (run({"mount", "-t", "tmpfs", "-o", "size=256k,mode=700", "none", mount}).code != 0)
    GTEST_SKIP() << "mounting a small file system needs root";
  const std::string path = directory / "r.json";
  const auto ended =
      run({bops_program(), "run", "--collector", GetParam(), "-o", path, "--", "/usr/bin/perl",
           "-e", "print join(',', sort { $a <=> $b } map { $_ * 7 % 11 } 1..10), \"\\n\""},
          {{"BOPS_STATE_DIR", mount}});
  (void)run({"umount", mount});
  EXPECT_EQ(ended.code, 0) << ended.errors;
  EXPECT_EQ(ended.output, "1,2,3,4,5,6,7,8,9,10\n");
  const auto record = nlohmann::json::parse(harness::read_file(path));
  EXPECT_EQ(record.at("quality"), "partial");
  EXPECT_GT(instructions(record), 10000U) << "what was counted before is kept";
  EXPECT_NE(record.at("warnings").dump().find("profile_storage_full"), std::string::npos);
}

TEST_P(EngineFaults, two_hundred_forked_children_are_all_counted) {
  constexpr std::uint64_t kWork = 1000;
  const auto counted = harness::count({target_program("fork_tree"), "200", std::to_string(kWork)},
                                      {"--collector", GetParam()});
  EXPECT_EQ(counted.ended.code, 0);
  EXPECT_EQ(counted.record.at("processes").size(), 201U);
  EXPECT_EQ(counted.record.at("quality"), "exact");
  const std::uint64_t work = 200 * 201 / 2 * kWork * 2;  // child i: i * kWork iterations of two
  EXPECT_GT(instructions(counted.record), work);
  EXPECT_LT(instructions(counted.record), work + 2'000'000);
}

TEST_P(EngineFaults, a_thousand_threads_that_start_at_once_lose_no_increment) {
  constexpr std::uint64_t kWork = 100;
  const auto counted = harness::count({target_program("threads"), "1000", std::to_string(kWork)},
                                      {"--collector", GetParam()});
  EXPECT_EQ(counted.ended.code, 0);
  const auto& threads = counted.record.at("threads");
  EXPECT_EQ(threads.size(), 1001U);
  std::uint64_t sum = 0;
  std::uint64_t least = ~std::uint64_t{0}, most = 0;  // what a worker does beside its work
  for (const auto& thread : threads) {
    const auto count = thread.at("instructions").get<std::uint64_t>();
    sum += count;
    const auto name = thread.at("name").get<std::string>();
    if (!name.starts_with("worker-")) continue;
    const std::uint64_t work = 2 * kWork * std::stoull(name.substr(7));
    ASSERT_GE(count, work) << name;
    least = std::min(least, count - work);
    most = std::max(most, count - work);
  }
  EXPECT_EQ(sum, instructions(counted.record));
  EXPECT_LT(most - least, 5000U) << "locks are contended, work is not lost";
}

TEST(Faults, a_target_that_floods_its_stderr_still_has_its_report_behind_it) {
  const auto ended = run({bops_program(), "run", "--", target_program("flood_stderr"), "16"});
  EXPECT_EQ(ended.code, 0);
  EXPECT_GT(ended.errors.size(), std::size_t{16} << 20);
  EXPECT_NE(ended.errors.find("Basic operations of", ended.errors.size() - 20000),
            std::string::npos);
}

TEST(Faults, a_closed_stderr_does_not_hide_that_the_report_is_lost) {
  const TemporaryDirectory directory;
  const std::map<std::string, std::string> state = {{"BOPS_STATE_DIR", directory / "state"}};
  Subprocess bops({bops_program(), "run", "--", "/bin/true"}, state, {}, [] { ::close(2); });
  EXPECT_EQ(bops.wait().code, 125);
  EXPECT_EQ(saved_runs(directory / "state").size(), 1U);
}

TEST_P(EngineFaults, a_signal_sent_to_bops_reaches_the_target) {
  // The first run of an engine looks whether it works: that is another child.
  ASSERT_EQ(run({bops_program(), "run", "--collector", GetParam(), "--", "/bin/true"}).code, 0);
  const TemporaryDirectory directory;
  const std::string path = directory / "r.json";
  Subprocess bops({bops_program(), "run", "--collector", GetParam(), "-o", path, "--",
                   target_program("busy_loop")});
  wait_for_work(bops.pid());
  ::kill(bops.pid(), SIGTERM);
  EXPECT_EQ(bops.wait().signal, SIGTERM);
  EXPECT_GT(instructions(nlohmann::json::parse(harness::read_file(path))), 1'000'000U);
}

}  // namespace
}  // namespace bops
