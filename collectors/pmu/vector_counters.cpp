#include "collectors/pmu/vector_counters.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "collectors/pmu/group_sum.hpp"
#include "collectors/pmu/perf_access.hpp"
#include "collectors/pmu/vector_estimate.hpp"

namespace bops::pmu {
namespace {

constexpr const char* kLost =
    "another user of the hardware counters (an NMI watchdog, another profiler) has them";

class OpenWithVector final : public OpenCounters {
 public:
  OpenWithVector(std::unique_ptr<OpenCounters> counters, std::unique_ptr<VectorSum::Open> vector)
      : counters_(std::move(counters)), vector_(std::move(vector)) {}
  [[nodiscard]] Result<Reading> read() override {
    vector_->look();
    return counters_->read();
  }
  [[nodiscard]] std::string_view via() const override { return counters_->via(); }
  [[nodiscard]] const SharedGroups* shared() const override { return counters_->shared(); }

 private:
  std::unique_ptr<OpenCounters> counters_;
  std::unique_ptr<VectorSum::Open> vector_;
};

class NoOpenCounters final : public OpenCounters {
 public:
  [[nodiscard]] Result<Reading> read() override { return Reading{}; }
  [[nodiscard]] std::string_view via() const override { return "perf"; }
};

class NoCounters final : public ThreadCounters {
 public:
  [[nodiscard]] Result<std::unique_ptr<OpenCounters>> open(pid_t /*tid*/,
                                                           Start /*start*/) override {
    return std::make_unique<NoOpenCounters>();
  }
  [[nodiscard]] bool starts_on_exec() const override { return true; }
  [[nodiscard]] bool reads_running_threads() const override { return true; }
};

}  // namespace

VectorSum::Open::~Open() {
  sum_.open_.erase(this);
  if (const auto missing = sum_.add(*this, sum_.ended_)) ++sum_.uncounted_[*missing];
}

void VectorSum::Open::look() {
  for (const PerfGroup& group : groups_) lost_ |= !group.read();
}

VectorSum::VectorSum(const std::vector<EventSet>& sets, VectorPlan plan, bool with_kernel)
    : sets_(sets), plan_(std::move(plan)), with_kernel_(with_kernel) {
  std::size_t events = 0;
  for (const VectorGroup& group : plan_.groups) events += group.events.size();
  ended_.resize(events);
}

std::unique_ptr<VectorSum::Open> VectorSum::open(pid_t tid, Start start) {
  return open_with({tid, start, false, with_kernel_, true});
}

std::unique_ptr<VectorSum::Open> VectorSum::open_tree(pid_t root) {
  return open_with({root, Start::kOnExec, true, with_kernel_, true});
}

std::unique_ptr<VectorSum::Open> VectorSum::open_with(const GroupManner& manner) {
  auto opened = std::make_unique<Open>(*this);
  std::vector<PerfGroup> groups(plan_.groups.size());
  for (std::size_t index = 0; index < groups.size(); ++index) {
    const VectorGroup& planned = plan_.groups[index];
    std::array<const Event*, PerfGroup::kMostEvents> events{};
    for (std::size_t i = 0; i < planned.events.size(); ++i)
      events.at(i) = &sets_[planned.set].vector_events.at(planned.events[i]).event;
    const int error = groups[index].open({events.data(), planned.events.size()}, manner);
    if (error == ESRCH) return opened;  // the thread has ended meanwhile
    if (error != 0) {
      leave_uncounted(perf_error(error, read_perf_obstacles(), with_kernel_));
      return opened;
    }
  }
  opened->groups_ = std::move(groups);
  if (manner.start == Start::kAtOnce)
    for (const PerfGroup& group : opened->groups_) group.enable();
  return opened;
}

std::optional<std::string> VectorSum::add(const Open& open, Counts& counts) const {
  if (open.groups_.empty()) return std::nullopt;
  if (open.lost_) return kLost;
  CountedShare share(sets_.size());
  std::size_t place = 0;
  for (std::size_t index = 0; index < plan_.groups.size(); ++index) {
    const VectorGroup& planned = plan_.groups[index];
    const auto values = open.groups_[index].read();
    if (!values) return kLost;
    for (std::size_t i = 0; i < planned.events.size(); ++i)
      counts.at(place++) += values->counts.at(i);
    share.add(planned.set, values->enabled_ns, values->running_ns);
  }
  if (!share.is_whole()) return "their events were counted part of the time";
  return std::nullopt;
}

Result<OperationsEstimate> VectorSum::estimate() const {
  Counts counts = ended_;
  auto uncounted = uncounted_;
  for (const Open* open : open_)
    if (const auto missing = add(*open, counts)) ++uncounted[*missing];
  if (uncounted.empty()) return estimate_of(counts);
  std::string reasons;
  for (const auto& [reason, threads] : uncounted)
    reasons += (reasons.empty() ? "" : "; ") + std::to_string(threads) +
               " threads were not counted: " + reason;
  return failure("vector work is not estimated: " + reasons);
}

Result<OperationsEstimate> VectorSum::estimate_of(const Counts& counts) const {
  OperationsEstimate sum;
  std::size_t place = 0;
  for (const VectorGroup& planned : plan_.groups) {
    EventSet part = sets_[planned.set];
    part.vector_events.clear();
    std::vector<std::optional<std::uint64_t>> values;
    for (const std::size_t event : planned.events) {
      part.vector_events.push_back(sets_[planned.set].vector_events.at(event));
      values.emplace_back(counts.at(place++));
    }
    const auto estimate = vector_estimate(part, values);
    if (!estimate) return tl::unexpected(estimate.error());
    sum += *estimate;
  }
  return sum;
}

// The formula's events come first: where there is no room for both, the vector events are lost.
Result<std::unique_ptr<OpenCounters>> CountersWithVector::with_vector(
    Result<std::unique_ptr<OpenCounters>> counters, pid_t tid, Start start) {
  if (!counters) sum_.leave_uncounted(counters.error());
  if (!counters || !*counters) return counters;
  return std::make_unique<OpenWithVector>(*std::move(counters), sum_.open(tid, start));
}

std::unique_ptr<ThreadCounters> make_no_counters() {
  return std::make_unique<NoCounters>();
}

}  // namespace bops::pmu
