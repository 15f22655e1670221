#include "collectors/pmu/perf_counters.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "collectors/pmu/group_sum.hpp"
#include "collectors/pmu/perf_access.hpp"
#include "collectors/pmu/perf_group.hpp"
#include "collectors/pmu/shared_groups.hpp"

namespace bops::pmu {
namespace {

struct OpenGroup {
  std::size_t set;
  const std::vector<Role>* roles;
  PerfGroup events;
};

constexpr std::uint32_t kTimes = 2;  // words of a group before its values

class PerfOpenCounters final : public OpenCounters, public SharedGroups {
 public:
  explicit PerfOpenCounters(const std::vector<EventSet>& sets) : sets_(sets) {}

  /// 0, or the errno of what failed: then nothing is open.
  [[nodiscard]] int open(GroupManner manner);
  [[nodiscard]] Result<Reading> read() override;
  [[nodiscard]] std::string_view via() const override { return "perf"; }
  [[nodiscard]] const SharedGroups* shared() const override { return this; }

  [[nodiscard]] std::vector<Group> groups() const override;
  [[nodiscard]] std::optional<bops_region_values> read_words() const override;
  [[nodiscard]] Reading reading_of(const bops_region_values& words) const override;
  void stop() const override;

 private:
  const std::vector<EventSet>& sets_;
  std::vector<OpenGroup> groups_;
};

int PerfOpenCounters::open(GroupManner manner) {
  for (std::size_t set = 0; set < sets_.size(); ++set) {
    manner.pinned = sets_[set].groups.size() == 1;
    for (const std::vector<Role>& roles : sets_[set].groups) {
      std::array<const Event*, PerfGroup::kMostEvents> events{};
      for (std::size_t i = 0; i < roles.size(); ++i) events.at(i) = &event_of(sets_[set], roles[i]);
      OpenGroup group{set, &roles, {}};
      if (const int error = group.events.open({events.data(), roles.size()}, manner); error != 0) {
        groups_.clear();
        return error;
      }
      groups_.push_back(std::move(group));
    }
  }
  if (manner.start != Start::kAtOnce) return 0;
  for (const OpenGroup& group : groups_) group.events.enable();
  return 0;
}

Result<Reading> PerfOpenCounters::read() {
  std::vector<GroupReading> readings;
  readings.reserve(groups_.size());
  for (const OpenGroup& group : groups_) {
    const auto values = group.events.read();
    if (!values) return Reading{{}, {}, Reading::State::kLost, 0};
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
    groups.push_back({group.events.leader(), words});
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

void PerfOpenCounters::stop() const {
  for (const OpenGroup& group : groups_) group.events.stop();
}

Result<std::unique_ptr<OpenCounters>> open_with(const std::vector<EventSet>& sets,
                                                const GroupManner& manner) {
  auto counters = std::make_unique<PerfOpenCounters>(sets);
  const int error = counters->open(manner);
  if (error == ESRCH) return nullptr;
  if (error != 0)
    return tl::unexpected(perf_error(error, read_perf_obstacles(), manner.with_kernel));
  return counters;
}

}  // namespace

Result<std::unique_ptr<OpenCounters>> PerfCounters::open(pid_t tid, Start start) {
  return open_with(sets_, {tid, start, false, with_kernel_, false});
}

Result<std::unique_ptr<OpenCounters>> PerfCounters::open_tree(pid_t root) {
  return open_with(sets_, {root, Start::kOnExec, true, with_kernel_, false});
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
