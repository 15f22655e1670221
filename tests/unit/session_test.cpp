#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>

#include "platform/state_directory.hpp"
#include "session/collector_choice.hpp"
#include "session/intervals.hpp"
#include "session/run_directory.hpp"
#include "session/run_session.hpp"
#include "tests/harness/subprocess.hpp"

namespace bops {
namespace {

class FakeCollector final : public Collector {
 public:
  FakeCollector(std::string name, bool usable) : name_(std::move(name)), usable_(usable) {}
  [[nodiscard]] CollectorInfo info() const override {
    return {name_, "", "retired_instructions", "user", "kernel", "native"};
  }
  [[nodiscard]] Probe probe() const override {
    return {usable_, usable_ ? "" : name_ + " is broken", "mend " + name_};
  }
  [[nodiscard]] Result<void> prepare(LaunchPlan&, const RunDirectory&) override { return {}; }
  [[nodiscard]] Result<void> on_thread_event(const ThreadEvent&) override { return {}; }
  [[nodiscard]] Result<RunCounts> snapshot() override { return RunCounts{}; }
  [[nodiscard]] Result<RunCounts> collect() override { return RunCounts{}; }
  [[nodiscard]] Result<RunCounts> recover(const RunDirectory&) override { return RunCounts{}; }

 private:
  std::string name_;
  bool usable_;
};

using Table = std::vector<std::unique_ptr<Collector>>;

Table table(std::initializer_list<std::pair<const char*, bool>> rows) {
  Table collectors;
  for (const auto& [name, usable] : rows)
    collectors.push_back(std::make_unique<FakeCollector>(name, usable));
  return collectors;
}

TEST(CollectorChoice, prefers_hardware_then_native_then_qemu_whatever_their_order) {
  const Table all = table({{"qemu", true}, {"native", true}, {"pmu", true}});
  EXPECT_EQ(choose_collector(all, "auto", false)->collector->info().name, "pmu");
  EXPECT_TRUE(choose_collector(all, "auto", false)->notice.empty());
  const Table soft = table({{"qemu", true}, {"native", true}, {"pmu", false}});
  EXPECT_EQ(choose_collector(soft, "auto", false)->collector->info().name, "native");
}

TEST(CollectorChoice, says_why_hardware_was_passed_over) {
  const Table collectors = table({{"pmu", false}, {"qemu", true}});
  const auto choice = choose_collector(collectors, "auto", false);
  EXPECT_NE(choice->notice.find("pmu is broken"), std::string::npos) << choice->notice;
}

TEST(CollectorChoice, requires_hardware_if_asked) {
  const Table collectors = table({{"pmu", false}, {"qemu", true}});
  const auto choice = choose_collector(collectors, "auto", true);
  ASSERT_FALSE(choice);
  EXPECT_EQ(choice.error().kind, FailureKind::kRefused);
  EXPECT_NE(choice.error().message.find("pmu is broken"), std::string::npos);
  EXPECT_FALSE(choose_collector(collectors, "qemu", true));
}

TEST(CollectorChoice, refuses_a_named_collector_that_cannot_run_with_its_remedy) {
  const Table collectors = table({{"native", false}, {"qemu", true}});
  const auto choice = choose_collector(collectors, "native", false);
  ASSERT_FALSE(choice);
  EXPECT_NE(choice.error().message.find("native is broken"), std::string::npos);
  EXPECT_EQ(choice.error().remedy, "mend native");
}

TEST(CollectorChoice, lists_the_names_there_are_for_an_unknown_one) {
  const Table collectors = table({{"qemu", true}});
  const auto choice = choose_collector(collectors, "quemu", false);
  ASSERT_FALSE(choice);
  EXPECT_NE(choice.error().remedy.find("auto, qemu"), std::string::npos) << choice.error().remedy;
}

TEST(CollectorChoice, never_takes_a_collector_by_itself_that_only_adds_to_others) {
  const Table collectors = table({{"cuda", true}});
  EXPECT_FALSE(choose_collector(collectors, "auto", false));
}

RunCounts state(std::uint64_t first, std::uint64_t second) {
  RunCounts counts;
  counts.quality = Quality::kExact;
  for (const std::uint64_t total : {first, second}) {
    ThreadCounts thread;
    thread.pid = 1;
    thread.tid = static_cast<pid_t>(counts.threads.size() + 1);
    thread.counts = Counts::exact_zero();
    thread.counts.instructions = {total, 0, 0, 0};
    counts.threads.push_back(thread);
  }
  return counts;
}

TEST(Intervals, sum_to_the_run) {
  IntervalSeries series;
  std::uint64_t sum = 0;
  const std::vector<RunCounts> states = {state(5, 0), state(5, 7), state(9, 7), state(20, 30)};
  std::uint64_t now = 0;
  for (const RunCounts& counts : states) {
    const IntervalRecord interval = series.next(counts, now += 100);
    EXPECT_EQ(interval.end_ns, now);
    EXPECT_EQ(interval.start_ns, now - 100);
    sum += interval.totals.instructions.total;
  }
  EXPECT_EQ(sum, states.back().totals().instructions.total);
}

TEST(Intervals, hold_a_thread_back_whose_count_a_fault_has_corrected_downwards) {
  IntervalSeries series;
  (void)series.next(state(100, 0), 1);
  EXPECT_EQ(series.next(state(98, 0), 2).totals.instructions.total, 0U);
  EXPECT_EQ(series.next(state(110, 0), 3).totals.instructions.total, 10U);
}

TEST(Intervals, tell_only_the_work_that_they_added) {
  IntervalSeries series;
  RunCounts counts = state(5, 0);
  counts.threads[0].work = {{"tokens", 10}};
  EXPECT_EQ(series.next(counts, 1).threads.at(0).work, (Work{{"tokens", 10}}));
  counts.threads[0].work = {{"images", 1}, {"tokens", 12}};
  EXPECT_EQ(series.next(counts, 2).threads.at(0).work, (Work{{"images", 1}, {"tokens", 2}}));
  counts.threads[0].counts.instructions.total += 1;
  EXPECT_TRUE(series.next(counts, 3).threads.at(0).work.empty());
}

GpuDeviceCounts gpu_state(const std::string& metric, std::uint64_t launches) {
  GpuDeviceCounts gpu;
  gpu.uuid = "GPU-0";
  gpu.sets.emplace_back().metrics = {metric};
  gpu.launches = gpu.counted = launches;
  gpu.counts.warp = GpuFormulaCounts{100 * launches, {}, {}, 10 * launches, launches};
  gpu.counts.tensor_instructions = {{"hmma", 3 * launches}};
  gpu.quality = Quality::kApproximate;
  return gpu;
}

TEST(Intervals, of_each_gpu_sum_to_the_run_and_leave_out_those_that_did_nothing) {
  IntervalSeries series;
  RunCounts counts = state(5, 0);
  EXPECT_TRUE(series.next(counts, 1).gpus.empty());
  GpuCounts sum;
  const std::vector<std::uint64_t> launches = {3, 3, 8, 20};
  for (const std::uint64_t so_far : launches) {
    // Rows of one GPU are told apart by what was collected, whatever their order.
    counts.gpus = {gpu_state("b", so_far)};
    if (so_far > 3) counts.gpus.insert(counts.gpus.begin(), gpu_state("a", 1));
    const IntervalRecord interval = series.next(counts, so_far);
    for (const GpuDeviceCounts& gpu : interval.gpus) {
      if (gpu.sets[0].metrics[0] != "b") continue;
      EXPECT_EQ(gpu.quality, Quality::kApproximate);
      sum = gpu.launches == so_far ? gpu.counts : GpuCounts(sum) += gpu.counts;
    }
    EXPECT_EQ(interval.gpus.size(), so_far == 8 ? 2U : so_far == 20 ? 1U : interval.gpus.size());
  }
  EXPECT_EQ(sum, gpu_state("b", 20).counts);
  EXPECT_TRUE(series.next(counts, 100).gpus.empty());
}

TEST(Intervals, tell_of_launches_that_were_not_counted_without_a_count) {
  IntervalSeries series;
  RunCounts counts = state(5, 0);
  counts.gpus = {gpu_state("a", 4)};
  (void)series.next(counts, 1);
  counts.gpus[0].launches += 2;
  counts.gpus[0].quality = Quality::kPartial;
  const IntervalRecord interval = series.next(counts, 2);
  ASSERT_EQ(interval.gpus.size(), 1U);
  EXPECT_EQ(interval.gpus[0].launches, 2U);
  EXPECT_EQ(interval.gpus[0].counted, 0U);
  EXPECT_FALSE(interval.gpus[0].counts.warp);
  EXPECT_EQ(interval.gpus[0].quality, Quality::kMissing);
}

class StateDirectory : public ::testing::Test {
 protected:
  StateDirectory() { ::setenv("BOPS_STATE_DIR", (directory_ / "state").c_str(), 1); }
  ~StateDirectory() override { ::unsetenv("BOPS_STATE_DIR"); }
  harness::TemporaryDirectory directory_;
};

TEST_F(StateDirectory, of_a_run_is_private_and_goes_with_its_owner) {
  std::string path;
  {
    const auto owned = OwnedRunDirectory::create();
    ASSERT_TRUE(owned) << owned.error().message;
    path = owned->directory().path;
    struct stat status {};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0700U);
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(StateDirectory, stays_if_it_is_kept) {
  std::string name;
  {
    auto owned = OwnedRunDirectory::create();
    owned->keep();
    name = owned->name();
  }
  EXPECT_EQ(*list_runs(), std::vector<std::string>{name});
}

TEST_F(StateDirectory, holds_runs_that_start_in_the_same_second_apart) {
  const auto first = OwnedRunDirectory::create();
  const auto second = OwnedRunDirectory::create();
  EXPECT_NE(first->directory().path, second->directory().path);
}

TEST_F(StateDirectory, is_refused_if_others_can_write_to_it) {
  ::mkdir((directory_ / "state").c_str(), 0700);
  ::chmod((directory_ / "state").c_str(), 0777);
  EXPECT_FALSE(state_directory());
}

TEST_F(StateDirectory, is_refused_if_it_is_a_link) {
  std::filesystem::create_directory_symlink("/tmp", directory_ / "state");
  EXPECT_FALSE(state_directory());
}

TEST_F(StateDirectory, gives_a_manifest_back_with_words_of_any_bytes) {
  const auto owned = OwnedRunDirectory::create();
  RunManifest manifest;
  manifest.started = "2026-01-01T00:00:00Z";
  manifest.start_mono_ns = 42;
  manifest.collector = "qemu";
  manifest.command = {"a\xff\x01", "", "b c"};
  manifest.labels = {{"k\xfe", "v"}};
  manifest.bops_pid = ::getpid();
  ASSERT_TRUE(write_manifest(owned->directory(), manifest));
  const auto read = read_manifest(owned->directory().path);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->command, manifest.command);
  EXPECT_EQ(read->labels, manifest.labels);
  EXPECT_EQ(read->start_mono_ns, 42U);
  EXPECT_FALSE(is_running(*read)) << "our pid, but not our start";
}

}  // namespace
}  // namespace bops
