// bops attach --cgroup and --unit on a real cgroup, with the PMU double: processes that join later
// are counted.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <sstream>
#include <thread>

#include "tests/doubles/pmu/on_pmu_double.hpp"

namespace bops {
namespace {

using harness::Subprocess, harness::target_program;
using Json = nlohmann::json;

/// Where the tests' own cgroup of version 2 is; empty if there is none.
std::string own_cgroup() {
  std::string mount, line;
  for (std::ifstream mounts("/proc/self/mounts"); std::getline(mounts, line);) {
    std::istringstream words(line);
    std::string device, point, type;
    words >> device >> point >> type;
    if (type == "cgroup2") mount = point;
  }
  if (mount.empty()) return {};
  for (std::ifstream cgroups("/proc/self/cgroup"); std::getline(cgroups, line);)
    if (line.starts_with("0::")) return mount + line.substr(3);
  return {};
}

bool join(const std::string& cgroup, pid_t pid) {
  std::ofstream file(cgroup + "/cgroup.procs");
  file << pid << std::flush;
  return file.good();
}

/// The cgroup that the next child joins before it executes its program.
std::string& cgroup_to_join() {
  static std::string path;
  return path;
}

class HardwareCgroup : public OnPmuDouble {
 protected:
  void SetUp() override {
    OnPmuDouble::SetUp();
    if (IsSkipped()) return;
    const std::string own = own_cgroup();
    if (own.empty()) GTEST_SKIP() << "no cgroup of version 2 is mounted here";
    const std::string path = own + "/bops-test-" + std::to_string(::getpid()) + ".service";
    if (::mkdir(path.c_str(), 0755) != 0) GTEST_SKIP() << "no cgroup can be made below " << own;
    cgroup_ = path;
    Subprocess probe({"/bin/sleep", "100"});
    if (!join(cgroup_, probe.pid())) {
      ::kill(probe.pid(), SIGKILL);
      GTEST_SKIP() << "no process can join a cgroup below " << own;
    }
  }
  void TearDown() override {
    if (!cgroup_.empty()) std::ofstream(cgroup_ + "/cgroup.kill") << 1;
    // A process leaves its cgroup a moment after it was waited for.
    for (int i = 0; !cgroup_.empty() && ::rmdir(cgroup_.c_str()) != 0 && i < 2000; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  /// In the cgroup from before its first instruction.
  [[nodiscard]] std::unique_ptr<Subprocess> member(const std::vector<std::string>& words) const {
    cgroup_to_join() = cgroup_;
    return std::make_unique<Subprocess>(words, std::map<std::string, std::string>{}, "",
                                        [] { (void)join(cgroup_to_join(), ::getpid()); });
  }
  [[nodiscard]] std::vector<Json> lines(const std::string& path) const {
    std::istringstream text(harness::read_file(path));
    std::vector<Json> lines;
    for (std::string line; std::getline(text, line) && !text.eof();)
      lines.push_back(Json::parse(line));
    return lines;
  }
  /// Whether a thread of such a process is in an interval, after as long as it takes.
  [[nodiscard]] bool is_counted(const std::string& path,
                                const std::function<bool(pid_t)>& is_meant) const {
    for (int i = 0; i < 6000; ++i) {
      for (const Json& line : lines(path))
        for (const Json& thread : line.at("threads"))
          if (is_meant(thread.at("pid").get<pid_t>())) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }

  std::string cgroup_;
};

TEST_F(HardwareCgroup, that_is_empty_at_first_has_usage_records_of_those_that_join) {
  const std::string usage = state_ / "usage.jsonl", report = state_ / "record.json";
  variables_["XDG_CONFIG_HOME"] = state_ / "config";
  Subprocess bops({harness::bops_program(), "attach", "--cgroup", cgroup_, "--usage", usage,
                   "--tenant", "acme", "--usage-interval", "20ms", "-o", report},
                  variables_);
  const auto instructions = [&] {
    std::uint64_t sum = 0;
    for (const Json& record : lines(usage))
      if (record.at("data").at("meter") == "instructions")
        sum += std::stoull(record.at("data").at("quantity").get<std::string>());
    return sum;
  };
  // It is attached, to an empty one, when it signs after the intervals.
  while (lines(usage + ".checkpoints").size() < 3)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(instructions(), 0U);
  const auto first = member({target_program("busy_loop")});
  while (instructions() == 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  ::kill(bops.pid(), SIGINT);
  const auto ended = bops.wait();
  ASSERT_EQ(ended.code, 0) << ended.errors;
  EXPECT_EQ(instructions(),
            Json::parse(harness::read_file(report)).at("totals").at("instructions"));
  for (const Json& record : lines(usage))
    if (record.at("data").at("meter") == "cpu_time") {
      EXPECT_TRUE(record.at("data").at("rel_err_ppm").is_null()) << "it began before it was seen";
    }
}

TEST_F(HardwareCgroup, has_those_that_are_in_it_their_children_and_those_that_join_later) {
  const auto first = member({target_program("busy_loop")});
  const Subprocess stranger({target_program("busy_loop")});
  const std::string path = state_ / "record.json";
  Subprocess bops(
      {harness::bops_program(), "attach", "--cgroup", cgroup_, "--interval", "50ms", "-o", path},
      variables_);
  const auto is_first = [&](pid_t pid) { return pid == first->pid(); };
  ASSERT_TRUE(is_counted(path, is_first));
  const auto second = member({"/bin/sh", "-c", "while true; do /bin/true; done"});
  const auto is_second = [&](pid_t pid) { return pid == second->pid(); };
  ASSERT_TRUE(is_counted(path, is_second));
  ASSERT_TRUE(is_counted(path, [&](pid_t pid) { return !is_first(pid) && !is_second(pid); }));
  ::kill(bops.pid(), SIGINT);
  const auto ended = bops.wait();
  ASSERT_EQ(ended.code, 0) << ended.errors;
  const Json record = lines(path).back();
  std::map<pid_t, std::uint64_t> instructions;
  std::size_t children = 0;
  for (const Json& process : record.at("processes")) {
    instructions[process.at("pid").get<pid_t>()] += process.at("instructions").get<std::uint64_t>();
    children += process.at("ppid") == second->pid() ? 1 : 0;
  }
  EXPECT_GT(instructions[first->pid()], 0U);
  EXPECT_GT(instructions[second->pid()], 0U);
  EXPECT_GT(children, 0U) << "of the one that joined";
  EXPECT_FALSE(instructions.contains(stranger.pid()));
  EXPECT_EQ(::kill(first->pid(), 0), 0) << "they go on";
}

TEST_F(HardwareCgroup, of_a_unit_is_found_by_its_name) {
  const auto process = member({target_program("busy_loop")});
  const std::string path = state_ / "record.json";
  const std::string unit = cgroup_.substr(cgroup_.rfind('/') + 1);
  for (const std::string& name : {unit, unit.substr(0, unit.rfind('.'))}) {
    const auto ended = harness::run(
        {harness::bops_program(), "attach", "--unit", name, "--duration", "300ms", "-o", path},
        variables_);
    ASSERT_EQ(ended.code, 0) << ended.errors;
    const Json record = Json::parse(harness::read_file(path));
    ASSERT_EQ(record.at("processes").size(), 1U);
    EXPECT_EQ(record.at("processes")[0].at("pid"), process->pid());
  }
}

}  // namespace
}  // namespace bops
