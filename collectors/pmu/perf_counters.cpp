#include "collectors/pmu/perf_counters.hpp"

#include <linux/perf_event.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "collectors/pmu/group_sum.hpp"
#include "collectors/pmu/perf_access.hpp"
#include "collectors/pmu/perf_group.hpp"
#include "collectors/pmu/shared_groups.hpp"
#include "platform/procfs.hpp"

namespace bops::pmu {
namespace {

struct OpenGroup {
  std::size_t set;
  const std::vector<Role>* roles;
  PerfGroup events;
  std::unique_ptr<Sampler::Watch> samples{};  ///< gone before the events
};

constexpr std::uint32_t kTimes = 2;  // words of a group before its values

class PerfOpenCounters final : public OpenCounters, public SharedGroups {
 public:
  PerfOpenCounters(const std::vector<EventSet>& sets, bool with_witness)
      : sets_(sets), with_witness_(with_witness) {}

  /// 0, or the errno of what failed: then nothing is open.
  [[nodiscard]] int open(GroupManner manner, Sampler* sampler);
  [[nodiscard]] Result<Reading> read() override;
  [[nodiscard]] std::string_view via() const override { return "perf"; }
  [[nodiscard]] bool can_be_read_after_its_end() const override {
    return witness_.has_value() || groups_.size() > sets_.size();  // these are not pinned
  }
  [[nodiscard]] const SharedGroups* shared() const override { return this; }

  [[nodiscard]] std::vector<Group> groups() const override;
  [[nodiscard]] std::optional<bops_region_values> read_words() const override;
  [[nodiscard]] Reading reading_of(const bops_region_values& words) const override;
  void stop() const override;

 private:
  [[nodiscard]] int open_witness(const GroupManner& manner);

  const std::vector<EventSet>& sets_;
  bool with_witness_;
  std::optional<PerfGroup> witness_;
  std::vector<OpenGroup> groups_;
};

/// A thread that runs would be counted by it for a moment longer than by the others.
int PerfOpenCounters::open_witness(const GroupManner& manner) {
  if (!with_witness_ || manner.start == Start::kAtOnce || manner.inherit) return 0;
  static const Event dummy = [] {
    Event event;
    event.type = PERF_TYPE_SOFTWARE;
    event.config = PERF_COUNT_SW_DUMMY;
    return event;
  }();
  const std::array<const Event*, 1> only{&dummy};
  witness_.emplace();
  const int error = witness_->open(only, manner);
  if (error != 0) witness_.reset();
  return error;
}

int PerfOpenCounters::open(GroupManner manner, Sampler* sampler) {
  if (const int error = open_witness(manner); error != 0) return error;
  // Each event that is opened enabled interrupts the CPU that its thread ran on last. So the
  // leaders wait, and their groups with them, until one call enables them.
  if (manner.start == Start::kStopped) manner.start = Start::kAtOnce;
  for (std::size_t set = 0; set < sets_.size(); ++set) {
    manner.pinned = sets_[set].groups.size() == 1;
    if (sampler != nullptr) manner.samples = &sampler->manner_of(set);
    for (const std::vector<Role>& roles : sets_[set].groups) {
      std::array<const Event*, PerfGroup::kMostEvents> events{};
      for (std::size_t i = 0; i < roles.size(); ++i) events.at(i) = &event_of(sets_[set], roles[i]);
      OpenGroup group{set, &roles, {}, {}};
      if (const int error = group.events.open({events.data(), roles.size()}, manner); error != 0) {
        groups_.clear();
        witness_.reset();
        return error;
      }
      groups_.push_back(std::move(group));
      if (sampler != nullptr)
        groups_.back().samples = sampler->watch(groups_.back().events, roles, manner.tid);
    }
  }
  if (manner.start != Start::kAtOnce) return 0;
  for (const OpenGroup& group : groups_) group.events.enable();
  return 0;
}

Result<Reading> PerfOpenCounters::read() {
  std::vector<GroupReading> readings;
  readings.reserve(groups_.size());
  // Before the others: the thread may run on meanwhile.
  std::optional<PerfGroup::Values> witnessed;
  if (witness_) witnessed = witness_->read();
  for (const OpenGroup& group : groups_) {
    const auto values = group.events.read();
    if (!values || (witnessed && was_lost(values->enabled_ns, witnessed->enabled_ns)))
      return Reading{{}, {}, Reading::State::kLost, 0};
    if (group.samples) group.samples->drain(values->lost_samples);
    GroupReading reading{group.set, group.roles, values->enabled_ns, values->running_ns, {}};
    for (std::size_t i = 0; i < group.roles->size(); ++i)
      reading.values.at(i) = values->counts.at(i);
    readings.push_back(reading);
  }
  return sum_groups(sets_, readings);
}

std::vector<SharedGroups::Group> PerfOpenCounters::groups() const {
  std::vector<Group> groups;
  for (const OpenGroup& group : groups_) {
    const auto words = static_cast<std::uint32_t>(kTimes + group.roles->size());
    if (groups.size() == BOPS_REGION_MAX_GROUPS || words > BOPS_REGION_MAX_WORDS) return {};
    groups.push_back({group.events.descriptors(), words});
  }
  return groups;
}

std::optional<bops_region_values> PerfOpenCounters::read_words() const {
  bops_region_values words{};
  for (std::size_t i = 0; i < groups_.size() && i < BOPS_REGION_MAX_GROUPS; ++i) {
    const auto values = groups_[i].events.read();
    if (!values) return std::nullopt;
    auto& group = words.word[i];
    group[0] = values->enabled_ns;
    group[1] = values->running_ns;
    std::copy_n(values->counts.begin(), groups_[i].roles->size(), group + kTimes);
  }
  return words;
}

Reading PerfOpenCounters::reading_of(const bops_region_values& words) const {
  std::vector<GroupReading> readings;
  for (std::size_t i = 0; i < groups_.size() && i < BOPS_REGION_MAX_GROUPS; ++i) {
    const auto& group = words.word[i];
    GroupReading reading{groups_[i].set, groups_[i].roles, group[0], group[1], {}};
    std::copy_n(group + kTimes, groups_[i].roles->size(), reading.values.begin());
    readings.push_back(reading);
  }
  return sum_groups(sets_, readings);
}

/// The witness first: one that went on would say that the groups were lost.
void PerfOpenCounters::stop() const {
  if (witness_) witness_->stop();
  for (const OpenGroup& group : groups_) group.events.stop();
}

Result<std::unique_ptr<OpenCounters>> open_with(const std::vector<EventSet>& sets,
                                                const GroupManner& manner, bool with_witness,
                                                Sampler* sampler) {
  auto counters = std::make_unique<PerfOpenCounters>(sets, with_witness);
  const int error = counters->open(manner, sampler);
  // The kernel's answer for a thread that is being killed has many names.
  if (error == ESRCH || (error != 0 && manner.tid != 0 && has_ended(manner.tid))) return nullptr;
  if (error != 0)
    return tl::unexpected(perf_error(error, read_perf_obstacles(), manner.with_kernel));
  return counters;
}

/// Before Linux 6.2 software events and hardware events of a thread have their times from different
/// clocks (commit bd2756811766, "perf: Rewrite core context handling").
bool has_one_clock() {
  utsname system{};
  int major = 0;
  int minor = 0;
  if (::uname(&system) != 0 || std::sscanf(system.release, "%d.%d", &major, &minor) != 2)
    return false;
  return major > 6 || (major == 6 && minor >= 2);
}

}  // namespace

bool was_lost(std::uint64_t enabled_ns, std::uint64_t witnessed_ns) {
  constexpr std::uint64_t kOnePart = 1000;  // in how many is no loss, as in group_sum
  constexpr std::uint64_t kMoment = 1000;   // nanoseconds
  return witnessed_ns > enabled_ns + enabled_ns / kOnePart + kMoment;
}

PerfCounters::PerfCounters(std::vector<EventSet> sets, bool with_kernel, Sampler* sampler)
    : sets_(std::move(sets)),
      with_kernel_(with_kernel),
      has_witnesses_(has_one_clock()),
      sampler_(sampler) {}

Result<std::unique_ptr<OpenCounters>> PerfCounters::open(pid_t tid, Start start) {
  return open_with(sets_, {tid, start, false, with_kernel_, false}, has_witnesses_, sampler_);
}

Result<std::unique_ptr<OpenCounters>> PerfCounters::open_tree(pid_t root) {
  return open_with(sets_, {root, Start::kOnExec, true, with_kernel_, false}, false, nullptr);
}

DescriptorLimit::DescriptorLimit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  before_ = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) before_ = 0;
}

DescriptorLimit::~DescriptorLimit() {
  rlimit limit{};
  if (before_ == 0 || ::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = before_;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace bops::pmu
