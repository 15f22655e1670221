#include "collectors/pmu/perf_counters.hpp"

#include <sys/resource.h>

#include <array>
#include <cerrno>
#include <utility>

#include "collectors/pmu/group_sum.hpp"
#include "collectors/pmu/perf_access.hpp"
#include "collectors/pmu/perf_group.hpp"

namespace bops::pmu {
namespace {

<<<<<<< HEAD
constexpr std::uint64_t kTimes = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
constexpr std::size_t kHeadWords = 3;  // of a group that is read: how many, enabled, running
constexpr std::size_t kMostRoles = 5;

/// How the groups of one thread, or of one tree, are opened.
struct Manner {
  pid_t tid;
  Start start;
  bool inherit;
  bool with_kernel;
};

perf_event_attr attributes_of(const Event& event, const Manner& manner, bool is_leader,
                              bool is_pinned) {
  perf_event_attr attributes{};
  attributes.size = sizeof(attributes);
  attributes.type = event.type;
  attributes.config = event.config;
  // Those of a group count whenever its leader does.
  attributes.disabled = is_leader && manner.start != Start::kStopped ? 1 : 0;
  attributes.enable_on_exec = is_leader && manner.start == Start::kOnExec ? 1 : 0;
  attributes.pinned = is_leader && is_pinned ? 1 : 0;
  attributes.inherit = manner.inherit ? 1 : 0;
  attributes.exclude_kernel = manner.with_kernel ? 0 : 1;
  attributes.exclude_hv = 1;
  // Before Linux 6.13 inherited events cannot be read as a group.
  attributes.read_format = manner.inherit ? kTimes : kTimes | PERF_FORMAT_GROUP;
  return attributes;
}

UniqueFd open_event(const perf_event_attr& attributes, pid_t tid, int leader) {
  return UniqueFd(static_cast<int>(
      ::syscall(SYS_perf_event_open, &attributes, tid, -1, leader, PERF_FLAG_FD_CLOEXEC)));
}

=======
>>>>>>> pmu-more
struct OpenGroup {
  std::size_t set;
  const std::vector<Role>* roles;
  PerfGroup events;
};

class PerfOpenCounters final : public OpenCounters {
 public:
  explicit PerfOpenCounters(const std::vector<EventSet>& sets) : sets_(sets) {}

  /// 0, or the errno of what failed: then nothing is open.
  [[nodiscard]] int open(GroupManner manner);
  [[nodiscard]] Result<Reading> read() override;
  [[nodiscard]] std::string_view via() const override { return "perf"; }

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
<<<<<<< HEAD
  if (manner.start != Start::kAtOnce) return 0;
  for (const OpenGroup& group : groups_)
    ::ioctl(group.events.front().get(), PERF_EVENT_IOC_ENABLE, 0);
=======
      groups_.push_back(std::move(group));
    }
  }
  if (manner.start == Start::kOnExec) return 0;
  for (const OpenGroup& group : groups_) group.events.enable();
>>>>>>> pmu-more
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
