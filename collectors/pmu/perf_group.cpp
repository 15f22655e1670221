#include "collectors/pmu/perf_group.hpp"

#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace bops::pmu {
namespace {

constexpr std::uint64_t kTimes = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
constexpr std::size_t kHeadWords = 3;  // of a group that is read: how many, enabled, running

perf_event_attr attributes_of(const Event& event, const GroupManner& manner, bool is_leader) {
  perf_event_attr attributes{};
  attributes.size = sizeof(attributes);
  attributes.type = event.type;
  attributes.config = event.config;
  // Those of a group count whenever its leader does.
  attributes.disabled = is_leader && manner.start != Start::kStopped ? 1 : 0;
  attributes.enable_on_exec = is_leader && manner.start == Start::kOnExec ? 1 : 0;
  attributes.pinned = is_leader && manner.pinned ? 1 : 0;
  attributes.inherit = manner.inherit ? 1 : 0;
  attributes.exclude_kernel = manner.with_kernel ? 0 : 1;
  attributes.exclude_hv = 1;
  // Before Linux 6.13 inherited events cannot be read as a group.
  attributes.read_format = manner.inherit ? kTimes : kTimes | PERF_FORMAT_GROUP;
  return attributes;
}

}  // namespace

int PerfGroup::open(std::span<const Event* const> events, const GroupManner& manner) {
  inherit_ = manner.inherit;
  events_.reserve(events.size());
  for (const Event* event : events) {
    const bool is_leader = events_.empty();
    const perf_event_attr attributes = attributes_of(*event, manner, is_leader);
    UniqueFd opened(
        static_cast<int>(::syscall(SYS_perf_event_open, &attributes, manner.tid, -1,
                                   is_leader ? -1 : events_.front().get(), PERF_FLAG_FD_CLOEXEC)));
    if (!opened) {
      const int error = errno;
      events_.clear();
      return error;
    }
    events_.push_back(std::move(opened));
  }
  return 0;
}

void PerfGroup::enable() const {
  ::ioctl(events_.front().get(), PERF_EVENT_IOC_ENABLE, 0);
}

void PerfGroup::stop() const {
  ::ioctl(events_.front().get(), PERF_EVENT_IOC_DISABLE, PERF_IOC_FLAG_GROUP);
}

std::optional<PerfGroup::Values> PerfGroup::read() const {
  return inherit_ ? read_each() : read_whole();
}

std::optional<PerfGroup::Values> PerfGroup::read_whole() const {
  std::array<std::uint64_t, kHeadWords + kMostEvents> words{};
  const ssize_t got = ::read(events_.front().get(), words.data(), sizeof(words));
  const std::size_t expected = (kHeadWords + events_.size()) * sizeof(words[0]);
  // End of file: the pinned group could not be scheduled (perf_event_open(2), pinned).
  if (got < 0 || static_cast<std::size_t>(got) < expected) return std::nullopt;
  Values values{words[1], words[2], {}};
  std::copy_n(words.begin() + kHeadWords, events_.size(), values.counts.begin());
  return values;
}

std::optional<PerfGroup::Values> PerfGroup::read_each() const {
  Values values;
  for (std::size_t i = 0; i < events_.size(); ++i) {
    std::array<std::uint64_t, kHeadWords> words{};  // value, enabled, running
    if (::read(events_[i].get(), words.data(), sizeof(words)) != sizeof(words)) return std::nullopt;
    values.counts.at(i) = words[0];
    values.enabled_ns = std::max(values.enabled_ns, words[1]);
    values.running_ns = i == 0 ? words[2] : std::min(values.running_ns, words[2]);
  }
  return values;
}

}  // namespace bops::pmu
