// bops with hardware counters, from the command line to the record, on the PMU double.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "tests/doubles/pmu/on_pmu_double.hpp"

namespace bops {
namespace {

using harness::count, harness::Counted, harness::run, harness::target_program;
using Json = nlohmann::json;

class Hardware : public OnPmuDouble {
 protected:
  void SetUp() override {
    OnPmuDouble::SetUp();
    if (IsSkipped()) return;
    pmu_->change(event_rules(events_) +
                 "thread worker-* instructions=100000*index loads=20000*index "
                 "stores=3000*index branches=400*index cycles=7*index\n" +
                 kGrowing);
  }
  [[nodiscard]] std::vector<std::string> attach(const std::vector<std::string>& options) const {
    std::vector<std::string> words{harness::bops_program(), "attach"};
    words.insert(words.end(), options.begin(), options.end());
    return words;
  }
};

std::set<std::string> codes_of(const Json& record) {
  std::set<std::string> codes;
  for (const Json& warning : record["warnings"]) codes.insert(warning["code"]);
  return codes;
}

std::vector<Json> lines_of(const std::string& path) {
  std::istringstream text(harness::read_file(path));
  std::vector<Json> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(Json::parse(line));
  return lines;
}

TEST_F(Hardware, is_what_auto_takes_where_it_can) {
  const Counted counted = count({target_program("threads"), "4", "1000"}, {}, variables_);
  EXPECT_EQ(counted.ended.code, 0);
  EXPECT_EQ(counted.record["collectors"][0]["name"], "pmu");
  EXPECT_EQ(counted.record["collectors"][0]["integrity"], "kernel");
  std::uint64_t sum = 0;
  for (const Json& thread : counted.record["threads"]) {
    sum += thread["instructions"].get<std::uint64_t>();
    EXPECT_TRUE(thread["via"] == "papi" || thread["via"] == "perf");
  }
  EXPECT_EQ(counted.record["totals"]["instructions"], sum);
  EXPECT_FALSE(counted.record["totals"]["bops_per_second"].is_null());
}

TEST_F(Hardware, gives_the_same_by_each_name) {
  for (const char* name : {"pmu", "papi", "perf"}) {
    const Counted counted =
        count({target_program("threads"), "3", "1000"}, {"--collector", name}, variables_);
    ASSERT_EQ(counted.ended.code, 0) << name << counted.ended.errors;
    for (const Json& thread : counted.record["threads"]) {
      const std::string called = thread["name"];
      if (!called.starts_with("worker-")) continue;
      const std::uint64_t index = std::stoull(called.substr(7));
      EXPECT_EQ(thread["instructions"], index * 100000) << name;
      EXPECT_EQ(thread["bops_formula"], index * (100000 - 20000 - 3000 - 400)) << name;
    }
  }
}

/// Waits for the file `go`, and ends with 7.
std::vector<std::string> waiting_for(const std::string& go) {
  return {"/bin/sh", "-c", "while [ ! -e '" + go + "' ]; do sleep 0.01; done; exit 7"};
}

TEST_F(Hardware, tells_how_an_attached_process_ended) {
  for (const bool alone : {true, false}) {
    const harness::TemporaryDirectory directory;
    const std::string path = directory / "load.json", go = directory / "go";
    harness::Subprocess target(waiting_for(go)), other(waiting_for(go));
    std::string pids = std::to_string(target.pid());
    if (!alone) pids += "," + std::to_string(other.pid());
    harness::Subprocess bops(attach({"-p", pids, "--interval", "10ms", "-o", path}), variables_);
    for (int i = 0; i < 6000 && harness::read_file(path).empty(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    std::ofstream(go) << "\n";
    const auto ended = bops.wait();
    ASSERT_EQ(ended.code, 0) << ended.errors;
    EXPECT_EQ(target.wait().code, 7) << "as without bops";
    const Json record = lines_of(path).back();
    EXPECT_EQ(record["exit"]["code"], alone ? Json(7) : Json(nullptr));
    std::ofstream(directory / "record.json") << record.dump();
    const std::string text =
        run({harness::bops_program(), "report", directory / "record.json"}).output;
    EXPECT_NE(text.find(alone ? "exit status 7" : "had ended when bops stopped counting; how"),
              std::string::npos)
        << text;
  }
}

TEST_F(Hardware, without_ptrace_gives_totals_only_and_says_so) {
  const Counted counted =
      count({target_program("threads"), "4", "1000"}, {"--no-ptrace"}, variables_);
  EXPECT_EQ(counted.ended.code, 0);
  EXPECT_EQ(counted.record["threads"].size(), 1U);
  EXPECT_TRUE(codes_of(counted.record).contains("threads_not_followed"));
}

TEST_F(Hardware, the_exact_engines_refuse_the_kernels_part) {
  const Counted counted =
      count({"/bin/true"}, {"--collector", "native", "--with-kernel"}, variables_);
  EXPECT_EQ(counted.ended.code, 125);
  EXPECT_NE(counted.ended.errors.find("user mode only"), std::string::npos);
  const Counted both = count({"/bin/true"}, {"--with-kernel"}, variables_);
  EXPECT_EQ(both.record["collectors"][0]["scope"], "user+kernel");
}

TEST_F(Hardware, intervals_sum_to_the_run) {
  const std::string path = state_ / "intervals";
  const auto ended = run({harness::bops_program(), "run", "--interval", "50ms", "-o", path, "--",
                          target_program("busy_loop"), "400000000"},
                         variables_);
  EXPECT_EQ(ended.code, 0);
  const std::vector<Json> lines = lines_of(path);
  ASSERT_GE(lines.size(), 3U);
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i + 1 < lines.size(); ++i)
    sum += lines[i]["totals"]["instructions"].get<std::uint64_t>();
  EXPECT_EQ(lines.back()["schema"], "bops.run.v1");
  EXPECT_EQ(lines.back()["totals"]["instructions"], sum);
}

/// Of the CPU time that the target used, the share that was counted, at 1000 instructions a
/// microsecond.
double counted_share(const Json& record) {
  const Json& usage = record["rusage"];
  return record["totals"]["instructions"].get<double>() /
         (usage["user_cpu_ns"].get<double>() + usage["system_cpu_ns"].get<double>());
}

TEST_F(Hardware, a_delay_leaves_out_what_was_before) {
  const std::vector<std::string> command{target_program("busy_loop"), "1000000000"};
  const Json whole = count(command, {}, variables_).record;
  const Json part = count(command, {"--delay", "200ms"}, variables_).record;
  EXPECT_LT(counted_share(part), counted_share(whole));
  EXPECT_GT(part["totals"]["instructions"], 0);
  EXPECT_TRUE(codes_of(part).contains("counted_in_part"));
  EXPECT_EQ(part["processes"][0]["instructions"], part["totals"]["instructions"]);
}

TEST_F(Hardware, a_delay_longer_than_the_run_leaves_nothing) {
  const Json part = count({"/bin/true"}, {"--delay", "10s"}, variables_).record;
  EXPECT_EQ(part["totals"]["instructions"], 0);
}

TEST_F(Hardware, control_lines_stop_start_and_take_snapshots) {
  const std::string fifo = state_ / "control", path = state_ / "out";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  harness::Subprocess bops({harness::bops_program(), "run", "--control", fifo, "-o", path, "--",
                            target_program("busy_loop")},
                           variables_);
  const auto pause = [] { std::this_thread::sleep_for(std::chrono::milliseconds(300)); };
  std::ofstream control(fifo);  // waits until bops has opened it
  pause();
  control << "stop\n" << std::flush;
  pause();
  control << "snapshot\n" << std::flush;
  pause();
  control << "snapshot\nnonsense\nstart\n" << std::flush;
  control.close();
  pause();
  ::kill(bops.pid(), SIGTERM);
  EXPECT_EQ(bops.wait().signal, SIGTERM);
  const std::vector<Json> lines = lines_of(path);
  ASSERT_EQ(lines.size(), 4U);  // two snapshots, what came after them, the record
  EXPECT_EQ(lines[1]["totals"]["instructions"], 0);  // nothing counts while stopped
  EXPECT_GT(lines[0]["totals"]["instructions"], 0);
  EXPECT_GT(lines[2]["totals"]["instructions"], 0);
  EXPECT_TRUE(codes_of(lines[3]).contains("counted_in_part"));
}

TEST_F(Hardware, can_be_required_and_is_refused_where_it_is_missing) {
  pmu_->change("error ENOENT\n");
  const Counted counted = count({"/bin/true"}, {"--require-pmu"}, variables_);
  EXPECT_EQ(counted.ended.code, 125);
  const Counted named = count({"/bin/true"}, {"--collector", "perf"}, variables_);
  EXPECT_EQ(named.ended.code, 125);
  const Counted fallen_back = count({"/bin/true"}, {}, variables_);
  EXPECT_EQ(fallen_back.ended.code, 0);
  EXPECT_NE(fallen_back.record["collectors"][0]["name"], "pmu");
  EXPECT_NE(fallen_back.ended.errors.find("no hardware counters ("), std::string::npos);
}

TEST_F(Hardware, attach_counts_what_runs_and_leaves_it) {
  harness::Subprocess target({target_program("busy_loop")});
  const std::string path = state_ / "record.json";
  const auto ended =
      run(attach({"-p", std::to_string(target.pid()), "--duration", "1s", "-o", path}), variables_);
  ASSERT_EQ(ended.code, 0) << ended.errors;
  const Json record = Json::parse(harness::read_file(path));
  EXPECT_GT(record["totals"]["instructions"], 0);
  EXPECT_TRUE(codes_of(record).contains("attached"));
  EXPECT_EQ(record["command"][0], target_program("busy_loop"));
  EXPECT_EQ(::kill(target.pid(), 0), 0);
}

TEST_F(Hardware, attach_reports_at_an_interrupt) {
  harness::Subprocess target({target_program("busy_loop")});
  const std::string path = state_ / "record.json";
  harness::Subprocess bops(
      attach({"-p", std::to_string(target.pid()), "--interval", "50ms", "-o", path}), variables_);
  // On a loaded machine the target may not run at all in an interval.
  const auto has_counted = [&path] {
    const std::vector<Json> lines = lines_of(path);
    return !lines.empty() && lines.back()["totals"]["instructions"] > 0;
  };
  while (!has_counted()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  ::kill(bops.pid(), SIGINT);
  const auto ended = bops.wait();
  EXPECT_EQ(ended.code, 0) << ended.errors;
  EXPECT_EQ(lines_of(path).back()["schema"], "bops.run.v1");
  EXPECT_GT(lines_of(path).back()["totals"]["instructions"], 0);
  EXPECT_EQ(::kill(target.pid(), 0), 0);
}

TEST_F(Hardware, attach_refuses_what_it_cannot_count) {
  EXPECT_EQ(run(attach({}), variables_).code, 125);
  EXPECT_EQ(run(attach({"-p", "1", "--cgroup", "/sys/fs/cgroup"}), variables_).code, 125);
  EXPECT_EQ(run(attach({"--cgroup", "/nowhere"}), variables_).code, 125);
  EXPECT_EQ(run(attach({"--unit", "no-such-unit"}), variables_).code, 125);
  const auto native =
      run(attach({"-p", std::to_string(::getpid()), "--collector", "native"}), variables_);
  EXPECT_EQ(native.code, 125);
  EXPECT_NE(native.errors.find("from their start only"), std::string::npos);
}

TEST_F(Hardware, a_self_check_that_fails_is_told) {
  const Counted counted = count({"/bin/true"}, {}, variables_);
  EXPECT_TRUE(codes_of(counted.record).contains("pmu_self_check_failed"));
  EXPECT_NE(counted.record["quality"], "exact");
}

}  // namespace
}  // namespace bops
