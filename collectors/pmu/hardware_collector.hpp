// The collector of hardware counters, behind the names pmu, papi and perf.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "collectors/pmu/event_table.hpp"
#include "collectors/pmu/followed_counts.hpp"
#include "collectors/pmu/perf_counters.hpp"
#include "collectors/pmu/region_channel.hpp"
#include "collectors/pmu/thread_counters.hpp"
#include "collectors/pmu/vector_counters.hpp"
#include "model/collector.hpp"

namespace bops::pmu {

/// What opens the counters of threads.
enum class Division : std::uint8_t {
  kDivided,  ///< PAPI, and perf groups of the same events where PAPI is wrong or slow
  kPapi,
  kPerf,
};

class HardwareCollector final : public Collector {
 public:
  /// Counts the events of `sets`, for tests; those of this machine where absent.
  HardwareCollector(std::string name, Division division,
                    std::optional<std::vector<EventSet>> sets = {});

  [[nodiscard]] CollectorInfo info() const override;
  [[nodiscard]] Probe probe() const override;
  [[nodiscard]] Probe quick_probe() const override;
  [[nodiscard]] std::vector<Limit> limits() const override;
  [[nodiscard]] Result<void> configure(const CountingOptions& options) override;
  [[nodiscard]] std::size_t vector_runs() const override;
  [[nodiscard]] Result<void> prepare(LaunchPlan& plan, const RunDirectory& directory) override;
  [[nodiscard]] bool follows_threads() const override { return options_.follow; }
  [[nodiscard]] Result<void> cannot_follow(const Error& reason) override;
  [[nodiscard]] Result<void> on_thread_event(const ThreadEvent& event) override;
  [[nodiscard]] int service_descriptor() const override;
  void serve() override;
  [[nodiscard]] bool wants_exit_stop(pid_t tid) const override {
    return !followed_ || followed_->wants_exit_stop(tid);
  }
  [[nodiscard]] Result<RunCounts> snapshot() override { return counts(); }
  [[nodiscard]] Result<RunCounts> collect() override;
  [[nodiscard]] bool counts_outlive_bops() const override { return false; }
  [[nodiscard]] Result<RunCounts> recover(const RunDirectory& directory) override;

 private:
  [[nodiscard]] const Result<std::vector<EventSet>>& sets() const;
  [[nodiscard]] Result<void> make_counters();
  [[nodiscard]] Result<void> plan_vector_work();
  void count_vector_work();
  void estimate_vector_work(RunCounts& run) const;
  void open_region_channel();
  [[nodiscard]] Result<void> refuse_kernel() const;
  [[nodiscard]] Result<void> refuse_sampling() const;
  void add_samples(RunCounts& run) const;
  [[nodiscard]] Result<void> hold(pid_t root);
  [[nodiscard]] Result<RunCounts> counts();
  [[nodiscard]] RunCounts tree_counts();
  void state_basis(RunCounts& run) const;
  void state_unit(RunCounts& run) const;
  void check_counters_once(const std::string& state_directory);

  std::string name_;
  Division division_;
  mutable std::optional<Result<std::vector<EventSet>>> sets_;
  CountingOptions options_;
  VectorPlan vector_plan_;
  std::string program_;  ///< file of the command
  std::uint64_t start_ns_ = 0;
  std::unique_ptr<DescriptorLimit> descriptors_;
  std::unique_ptr<Sampler> sampler_;   ///< before what samples; null: not asked for
  std::unique_ptr<VectorSum> vector_;  ///< before what adds to it; null: not asked for
  std::unique_ptr<ThreadCounters> counters_;
  std::unique_ptr<FollowedCounts> followed_;
  std::unique_ptr<RegionChannel> regions_;  ///< null: no thread can ask for its counters
  // Without following:
  std::unique_ptr<OpenCounters> tree_;
  std::unique_ptr<VectorSum::Open> vector_tree_;
  ProcessCounts root_;
  std::vector<Warning> warnings_;
  bool is_off_ = false;  ///< the self check did not pass
};

}  // namespace bops::pmu
