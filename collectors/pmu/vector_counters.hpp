// Counters of vector work on every thread, beside those of the formula or instead of them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "collectors/pmu/perf_group.hpp"
#include "collectors/pmu/thread_counters.hpp"
#include "collectors/pmu/vector_plan.hpp"
#include "model/operations_estimate.hpp"

namespace bops::pmu {

/// The sum of the vector events over all threads of a run. Their groups are pinned perf groups:
/// never scaled; of a thread that was not counted all the time nothing is made up, and the run has
/// no estimate. Outlives the counters that it opened.
class VectorSum {
 public:
  /// The groups of one thread; the destructor adds what they counted to the sum.
  class Open {
   public:
    explicit Open(VectorSum& sum) : sum_(sum) { sum_.open_.insert(this); }
    Open(const Open&) = delete;
    Open& operator=(const Open&) = delete;
    ~Open();
    /// To be called before the thread ends: only until then can be told that a group was lost.
    void look();

   private:
    friend class VectorSum;
    VectorSum& sum_;
    std::vector<PerfGroup> groups_;  ///< in the order of the plan's, or none
    bool lost_ = false;
  };

  VectorSum(const std::vector<EventSet>& sets, VectorPlan plan, bool with_kernel);

  /// What cannot be opened is kept as the reason why there is no estimate.
  [[nodiscard]] std::unique_ptr<Open> open(pid_t tid, Start start);
  /// As PerfCounters::open_tree().
  [[nodiscard]] std::unique_ptr<Open> open_tree(pid_t root);
  /// The thread has no counters at all.
  void leave_uncounted(const Error& reason) { ++uncounted_[reason.message]; }

  /// Of all threads that have ended, and those that run.
  [[nodiscard]] Result<OperationsEstimate> estimate() const;

 private:
  using Counts = std::vector<std::uint64_t>;  ///< of all events of the plan, group by group

  [[nodiscard]] std::unique_ptr<Open> open_with(const GroupManner& manner);
  /// Adds to `counts`; the reason if a part of them is missing.
  [[nodiscard]] std::optional<std::string> add(const Open& open, Counts& counts) const;
  [[nodiscard]] Result<OperationsEstimate> estimate_of(const Counts& counts) const;

  const std::vector<EventSet>& sets_;
  VectorPlan plan_;
  bool with_kernel_;
  Counts ended_;
  std::set<const Open*> open_;
  std::map<std::string, std::uint64_t> uncounted_;  ///< threads, by reason
};

/// Opens the vector events of each thread together with the counters of another kind.
class CountersWithVector final : public ThreadCounters {
 public:
  CountersWithVector(std::unique_ptr<ThreadCounters> counters, VectorSum& sum)
      : counters_(std::move(counters)), sum_(sum) {}
  [[nodiscard]] Result<std::unique_ptr<OpenCounters>> open(pid_t tid, Start start) override {
    return with_vector(counters_->open(tid, start), tid, start);
  }
  [[nodiscard]] Result<std::unique_ptr<OpenCounters>> open_shared(pid_t tid, Start start) override {
    return with_vector(counters_->open_shared(tid, start), tid, start);
  }
  [[nodiscard]] bool starts_on_exec() const override { return counters_->starts_on_exec(); }
  [[nodiscard]] bool reads_running_threads() const override {
    return counters_->reads_running_threads();
  }

 private:
  [[nodiscard]] Result<std::unique_ptr<OpenCounters>> with_vector(
      Result<std::unique_ptr<OpenCounters>> counters, pid_t tid, Start start);

  std::unique_ptr<ThreadCounters> counters_;
  VectorSum& sum_;
};

/// Nothing but the vector events: all readings are zero, and must not be shown.
[[nodiscard]] std::unique_ptr<ThreadCounters> make_no_counters();

}  // namespace bops::pmu
