#include "collectors/pmu/perf_counters.hpp"

#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <utility>

#include "collectors/pmu/group_sum.hpp"
#include "collectors/pmu/perf_access.hpp"

namespace bops::pmu {
namespace {

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
  attributes.disabled = is_leader ? 1 : 0;
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

struct OpenGroup {
  std::size_t set;
  const std::vector<Role>* roles;
  std::vector<UniqueFd> events;  // the leader first
};

class PerfOpenCounters final : public OpenCounters {
 public:
  PerfOpenCounters(const std::vector<EventSet>& sets, bool inherit)
      : sets_(sets), inherit_(inherit) {}

  /// 0, or the errno of what failed: then nothing is open.
  [[nodiscard]] int open(const Manner& manner);
  [[nodiscard]] Result<Reading> read() override;
  [[nodiscard]] std::string_view via() const override { return "perf"; }

 private:
  [[nodiscard]] int open_group(const Manner& manner, std::size_t set,
                               const std::vector<Role>& roles);
  [[nodiscard]] static std::optional<GroupReading> read_whole(const OpenGroup& group);
  [[nodiscard]] static std::optional<GroupReading> read_each(const OpenGroup& group);

  const std::vector<EventSet>& sets_;
  bool inherit_;
  std::vector<OpenGroup> groups_;
};

int PerfOpenCounters::open(const Manner& manner) {
  for (std::size_t set = 0; set < sets_.size(); ++set)
    for (const std::vector<Role>& roles : sets_[set].groups)
      if (const int error = open_group(manner, set, roles); error != 0) {
        groups_.clear();
        return error;
      }
  if (manner.start == Start::kOnExec) return 0;
  for (const OpenGroup& group : groups_)
    ::ioctl(group.events.front().get(), PERF_EVENT_IOC_ENABLE, 0);
  return 0;
}

int PerfOpenCounters::open_group(const Manner& manner, std::size_t set,
                                 const std::vector<Role>& roles) {
  const bool is_pinned = sets_[set].groups.size() == 1;
  OpenGroup group{set, &roles, {}};
  group.events.reserve(roles.size());
  for (const Role role : roles) {
    const bool is_leader = group.events.empty();
    UniqueFd event =
        open_event(attributes_of(event_of(sets_[set], role), manner, is_leader, is_pinned),
                   manner.tid, is_leader ? -1 : group.events.front().get());
    if (!event) return errno;
    group.events.push_back(std::move(event));
  }
  groups_.push_back(std::move(group));
  return 0;
}

std::optional<GroupReading> PerfOpenCounters::read_whole(const OpenGroup& group) {
  std::array<std::uint64_t, kHeadWords + kMostRoles> words{};
  const ssize_t got = ::read(group.events.front().get(), words.data(), sizeof(words));
  const std::size_t expected = (kHeadWords + group.roles->size()) * sizeof(words[0]);
  // End of file: the pinned group could not be scheduled (perf_event_open(2), pinned).
  if (got < 0 || static_cast<std::size_t>(got) < expected) return std::nullopt;
  GroupReading reading{group.set, group.roles, words[1], words[2], {}};
  std::copy_n(words.begin() + kHeadWords, group.roles->size(), reading.values.begin());
  return reading;
}

std::optional<GroupReading> PerfOpenCounters::read_each(const OpenGroup& group) {
  GroupReading reading{group.set, group.roles, 0, 0, {}};
  for (std::size_t i = 0; i < group.events.size(); ++i) {
    std::array<std::uint64_t, kHeadWords> words{};  // value, enabled, running
    if (::read(group.events[i].get(), words.data(), sizeof(words)) != sizeof(words))
      return std::nullopt;
    reading.values.at(i) = words[0];
    reading.enabled_ns = std::max(reading.enabled_ns, words[1]);
    reading.running_ns = i == 0 ? words[2] : std::min(reading.running_ns, words[2]);
  }
  return reading;
}

Result<Reading> PerfOpenCounters::read() {
  std::vector<GroupReading> readings;
  readings.reserve(groups_.size());
  for (const OpenGroup& group : groups_) {
    auto reading = inherit_ ? read_each(group) : read_whole(group);
    if (!reading) return Reading{{}, {}, Reading::State::kLost, 0};
    readings.push_back(*reading);
  }
  return sum_groups(sets_, readings);
}

Result<std::unique_ptr<OpenCounters>> open_with(const std::vector<EventSet>& sets,
                                                const Manner& manner) {
  auto counters = std::make_unique<PerfOpenCounters>(sets, manner.inherit);
  const int error = counters->open(manner);
  if (error == ESRCH) return nullptr;
  if (error != 0)
    return tl::unexpected(perf_error(error, read_perf_obstacles(), manner.with_kernel));
  return counters;
}

}  // namespace

Result<std::unique_ptr<OpenCounters>> PerfCounters::open(pid_t tid, Start start) {
  return open_with(sets_, {tid, start, false, with_kernel_});
}

Result<std::unique_ptr<OpenCounters>> PerfCounters::open_tree(pid_t root) {
  return open_with(sets_, {root, Start::kOnExec, true, with_kernel_});
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
