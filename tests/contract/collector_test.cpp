// What every collector of this build promises (src/model/collector.hpp). Those of hardware counters
// run on the PMU double where there is no PMU, with the counts that the exact engine gave of the
// same program.
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <set>

#include "collector_table.hpp"
#include "collectors/pmu/event_table.hpp"
#include "launch/command.hpp"
#include "launch/target_process.hpp"
#include "session/collector_choice.hpp"
#include "session/run_directory.hpp"
#include "tests/doubles/pmu/event_rules.hpp"
#include "tests/doubles/pmu/pmu_double.hpp"
#include "tests/harness/subprocess.hpp"

namespace bops {
namespace {

std::vector<std::string> collector_names() {
  std::vector<std::string> names;
  for (const auto& collector : make_collectors())
    if (!collector->counts_gpus()) names.push_back(collector->info().name);
  return names;
}

class EveryCollector : public ::testing::TestWithParam<std::string> {
 protected:
  EveryCollector() {
    ::setenv("BOPS_STATE_DIR", state_.path().c_str(), 1);
    make_collector();
  }
  void SetUp() override {
    if (collector_->probe().usable) return;
    if (collector_->info().integrity == "kernel") use_double();
    if (const Probe probe = collector_->probe(); !probe.usable)
      GTEST_SKIP() << GetParam() << " cannot run here: " << probe.reason;
  }
  void use_double() {
    const auto sets = pmu::event_sets_for(pmu::this_machine());
    if (!sets || sets->size() != 1) return;  // the probe says why
    events_ = event_rules(sets->front());
    double_.emplace(events_ + kGrowing);
    make_collector();
  }
  void make_collector() {
    for (auto& collector : make_collectors())
      if (collector->info().name == GetParam()) collector_ = std::move(collector);
  }
  /// What the double is to count of a program: growing with time, or as the exact engine does.
  void set_rules(const std::vector<std::string>& command, bool growing) {
    if (!double_) return;
    if (growing) return double_->change(events_ + kGrowing);
    const auto exact = harness::count(command, {"--collector", "native"});
    ASSERT_FALSE(exact.record.is_null()) << exact.ended.errors;
    std::string rules = events_;
    for (const auto& thread : exact.record.at("threads")) {
      rules += "thread " + thread.at("name").get<std::string>();
      for (const char* count : {"instructions", "loads", "stores", "branches"})
        rules += std::string(" ") + count + "=" + thread.at(count).dump();
      rules += "\n";
    }
    double_->change(rules);
  }
  /// Runs a target under the collector; `between` is called while it runs.
  RunCounts run(const std::vector<std::string>& command, const Ticker& ticker = {}) {
    return run_in(directory_->directory(), command, ticker);
  }
  RunCounts run_in(const RunDirectory& directory, const std::vector<std::string>& command,
                   const Ticker& ticker = {}) {
    set_rules(command, ticker.period.count() > 0);
    auto plan = resolve_command(command, {"PATH=/usr/bin:/bin"});
    EXPECT_TRUE(collector_->prepare(*plan, directory));
    auto target = TargetProcess::spawn_held(*plan);
    pid_ = target->pid();
    if (collector_->follows_threads()) {
      EXPECT_TRUE(target->follow(
          [this](const ThreadEvent& event) { (void)collector_->on_thread_event(event); }));
    }
    EXPECT_TRUE(collector_->on_thread_event({ThreadEvent::Kind::kHeld, pid_, pid_}));
    EXPECT_TRUE(target->release());
    EXPECT_TRUE(collector_->on_thread_event({ThreadEvent::Kind::kReleased, pid_, pid_}));
    std::vector<Watched> watched;
    if (collector_->service_descriptor() >= 0)
      watched.push_back({collector_->service_descriptor(), [this] { collector_->serve(); }});
    end_ = target->wait(ticker, watched);
    auto counts = collector_->collect();
    EXPECT_TRUE(counts) << counts.error().message;
    return counts ? *counts : RunCounts{};
  }

  static constexpr const char* kGrowing =
      "thread * instructions=1000/us loads=100/us stores=50/us branches=200/us cycles=2000/us\n";

  harness::TemporaryDirectory state_;
  std::string events_;
  std::optional<PmuDouble> double_;  ///< where there is no PMU; outlives the collector
  std::unique_ptr<Collector> collector_;
  Result<OwnedRunDirectory> directory_ = OwnedRunDirectory::create();
  pid_t pid_ = 0;
  TargetEnd end_;
};

TEST(GpuCollector, is_not_taken_for_one_that_counts_cpus) {
  const auto collectors = make_collectors();
  for (const auto& collector : collectors) {
    if (!collector->counts_gpus()) continue;
    const auto choice = choose_collector(collectors, collector->info().name, false);
    ASSERT_FALSE(choice);
    EXPECT_NE(choice.error().remedy.find("--gpu"), std::string::npos);
    EXPECT_FALSE(collector->instruments().empty());
    const Probe probe = collector->probe();
    EXPECT_TRUE(probe.usable || !probe.reason.empty());
  }
}

TEST_P(EveryCollector, describes_itself_in_the_words_of_the_record) {
  const CollectorInfo info = collector_->info();
  EXPECT_TRUE(info.integrity == "in_target" || info.integrity == "kernel");
  EXPECT_TRUE(info.slowdown_class == "native" || info.slowdown_class == "emulated");
  EXPECT_TRUE((
      std::set<std::string>{"retired_instructions", "retired_uops", "dispatched_ops", "speculative"}
          .contains(info.unit)));
  EXPECT_FALSE(info.title.empty());
}

TEST_P(EveryCollector, counts_a_target_whose_threads_sum_to_its_processes_and_the_run) {
  const RunCounts counts = run({harness::target_program("threads"), "4", "10000"});
  EXPECT_EQ(end_.exit.code, 0);
  Counts processes = Counts::exact_zero();
  for (const ProcessCounts& process : counts.processes) processes += process.counts;
  EXPECT_EQ(processes.instructions, counts.totals().instructions);
  EXPECT_EQ(counts.threads.size(), 5U);
  for (const ThreadCounts& thread : counts.threads) {
    EXPECT_EQ(thread.pid, pid_);
    EXPECT_GT(thread.counts.instructions.total, 0U);
    EXPECT_FALSE(thread.via.empty());
    EXPECT_TRUE(thread.end_ns.has_value());
  }
}

TEST_P(EveryCollector, gives_images_that_sum_to_the_run_if_it_gives_any) {
  const RunCounts counts = run({harness::target_program("busy_loop"), "1000"});
  if (counts.images.empty()) GTEST_SKIP() << "this collector knows no images";
  Counts images = Counts::exact_zero();
  for (const ImageCounts& image : counts.images) images += image.counts;
  EXPECT_EQ(images, counts.totals());
}

TEST_P(EveryCollector, gives_functions_that_sum_to_their_images_and_the_run_if_it_gives_any) {
  const RunCounts counts = run({harness::target_program("busy_loop"), "1000"});
  if (counts.functions.empty()) GTEST_SKIP() << "this collector knows no functions";
  Counts sum = Counts::exact_zero();
  std::map<std::string, Counts> images;
  for (const FunctionCounts& function : counts.functions) {
    sum += function.counts;
    images.try_emplace(function.image, Counts::exact_zero()).first->second += function.counts;
  }
  EXPECT_EQ(sum, counts.totals());
  for (const ImageCounts& image : counts.images) EXPECT_EQ(images[image.path], image.counts);
}

TEST_P(EveryCollector, looks_for_no_functions_in_a_snapshot) {
  std::size_t snapshots = 0;
  const Ticker ticker{std::chrono::milliseconds(20), [&] {
                        const auto counts = collector_->snapshot();
                        if (!counts || counts->threads.empty()) return;
                        ++snapshots;
                        EXPECT_TRUE(counts->functions.empty());
                      }};
  (void)run({harness::target_program("busy_loop"), "400000000"}, ticker);
  EXPECT_GT(snapshots, 0U);
}

TEST_P(EveryCollector, splits_every_instruction_into_exactly_one_class_if_it_knows_classes) {
  const Counts totals = run({"/bin/true"}).totals();
  if (!totals.classes) GTEST_SKIP() << "this collector sees no instructions";
  EXPECT_EQ(totals.classes->total(), totals.instructions.total);
}

TEST_P(EveryCollector, has_snapshots_that_grow_towards_the_final_count) {
  std::vector<std::uint64_t> totals;
  const Ticker ticker{std::chrono::milliseconds(20), [&] {
                        if (const auto counts = collector_->snapshot())
                          totals.push_back(counts->totals().instructions.total);
                      }};
  totals.push_back(
      run({harness::target_program("busy_loop"), "400000000"}, ticker).totals().instructions.total);
  EXPECT_GE(totals.size(), 3U);
  EXPECT_TRUE(std::is_sorted(totals.begin(), totals.end()));
}

TEST_P(EveryCollector, leaves_no_trace_in_the_targets_streams_or_result) {
  const harness::TemporaryDirectory directory;
  const std::string plain = directory / "plain", counted = directory / "counted";
  const std::string program = harness::target_program("print_arguments");
  (void)harness::run({program, "a", "b"}, {{"PRINT_ARGUMENTS_FILE", plain}});
  ::setenv("PRINT_ARGUMENTS_FILE", counted.c_str(), 1);
  auto plan = resolve_command({program, "a", "b"}, {"PRINT_ARGUMENTS_FILE=" + counted});
  ASSERT_TRUE(collector_->prepare(*plan, directory_->directory()));
  auto target = TargetProcess::spawn_held(*plan);
  ASSERT_TRUE(target->release());
  EXPECT_EQ(target->wait({}).exit.code, 0);
  EXPECT_EQ(harness::read_file(plain), harness::read_file(counted));
}

TEST_P(EveryCollector, brings_back_from_its_directory_what_it_counted) {
  const RunCounts counts = run({harness::target_program("busy_loop"), "1000"});
  for (auto& other : make_collectors()) {
    if (other->info().name != GetParam() || other->info().integrity != "in_target") continue;
    const auto recovered = other->recover(directory_->directory());
    ASSERT_TRUE(recovered) << recovered.error().message;
    EXPECT_EQ(recovered->totals(), counts.totals());
    ASSERT_EQ(recovered->functions.size(), counts.functions.size());
    for (std::size_t i = 0; i < counts.functions.size(); ++i)
      EXPECT_EQ(recovered->functions[i].counts, counts.functions[i].counts);
  }
}

TEST_P(EveryCollector, counts_a_second_program_as_if_it_were_the_first) {
  const std::vector<std::string> command = {harness::known_asm_program("call_return")};
  const Counts alone = run(command).totals();
  collector_.reset();  // before the next one: PAPI's state has one owner
  make_collector();
  const auto first = OwnedRunDirectory::create();
  const auto second = OwnedRunDirectory::create();
  (void)run_in(first->directory(), {harness::target_program("busy_loop"), "1000"});
  EXPECT_EQ(run_in(second->directory(), command).totals(), alone);
}

TEST_P(EveryCollector, counts_of_a_known_program_what_the_exact_engine_counts) {
  const std::vector<std::string> command = {harness::known_asm_program("call_return")};
  const InstructionCounts exact = [&command] {
    const auto record = harness::count(command, {"--collector", "native"}).record;
    const auto number = [&record](const char* field) {
      return record.at("totals").at(field).get<std::uint64_t>();
    };
    return InstructionCounts{number("instructions"), number("loads"), number("stores"),
                             number("branches")};
  }();
  const RunCounts counts = run(command);
  const InstructionCounts found = counts.totals().instructions;
  if (collector_->info().integrity == "in_target" || double_) {
    EXPECT_EQ(found, exact);
    return;
  }
  // A PMU that counts something else says so.
  if (counts.quality > Quality::kExact) GTEST_SKIP() << "this PMU does not count exactly";
  EXPECT_NEAR(static_cast<double>(found.total), static_cast<double>(exact.total),
              0.01 * static_cast<double>(exact.total) + 100);
}

TEST_P(EveryCollector, passes_on_what_execve_says_of_an_invalid_program) {
  const harness::TemporaryDirectory directory;
  std::ofstream(directory / "empty").close();
  ::chmod((directory / "empty").c_str(), 0755);
  LaunchPlan plan{directory / "empty", {"empty"}, {}};
  if (!collector_->prepare(plan, directory_->directory())) return;
  auto target = TargetProcess::spawn_held(plan);
  const auto released = target->release();
  ASSERT_FALSE(released);
  EXPECT_EQ(released.error().kind, FailureKind::kNotExecutable);
}

INSTANTIATE_TEST_SUITE_P(Collectors, EveryCollector, ::testing::ValuesIn(collector_names()),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace bops
