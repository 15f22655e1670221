#include "collectors/pmu/perf_group.hpp"

#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "collectors/pmu/sample_buffer.hpp"
#include "collectors/pmu/sample_record.hpp"

namespace bops::pmu {
namespace {

constexpr std::uint64_t kTimes = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
constexpr std::uint64_t kFormatLost = 1U << 4U;  // PERF_FORMAT_LOST, not in all headers
constexpr std::size_t kHeadWords = 3;  // of a group that is read: how many, enabled, running

/// The leader also tells of the code that is mapped.
void sample(perf_event_attr& attributes, const SampleManner& manner, std::size_t index) {
  attributes.sample_period = manner.period;
  if (manner.reads_lost) attributes.read_format |= kFormatLost;
  attributes.sample_type = kSampleType;
  attributes.precise_ip = manner.precise.at(index) & 3U;
  attributes.watermark = 1;
  attributes.wakeup_watermark = SampleBuffer::kRingBytes / 4;
  if (index > 0) return;
  attributes.mmap = attributes.mmap2 = 1;
  attributes.comm = attributes.comm_exec = 1;
  attributes.build_id = manner.build_ids ? 1 : 0;
}

perf_event_attr attributes_of(const Event& event, const GroupManner& manner, std::size_t index) {
  const bool is_leader = index == 0;
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
  if (manner.samples != nullptr) sample(attributes, *manner.samples, index);
  return attributes;
}

}  // namespace

int PerfGroup::open(std::span<const Event* const> events, const GroupManner& manner) {
  inherit_ = manner.inherit;
  reads_lost_ = manner.samples != nullptr && manner.samples->reads_lost;
  events_.reserve(events.size());
  for (const Event* event : events) {
    const bool is_leader = events_.empty();
    const perf_event_attr attributes = attributes_of(*event, manner, events_.size());
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

std::vector<int> PerfGroup::descriptors() const {
  std::vector<int> all;
  for (const UniqueFd& event : events_) all.push_back(event.get());
  return all;
}

void PerfGroup::enable() const {
  ::ioctl(events_.front().get(), PERF_EVENT_IOC_ENABLE, 0);
}

void PerfGroup::stop() const {
  ::ioctl(events_.front().get(), PERF_EVENT_IOC_DISABLE, PERF_IOC_FLAG_GROUP);
}

int PerfGroup::sample_into_leader() const {
  for (std::size_t i = 1; i < events_.size(); ++i)
    if (::ioctl(events_[i].get(), PERF_EVENT_IOC_SET_OUTPUT, leader()) != 0) return errno;
  return 0;
}

std::uint64_t PerfGroup::number_of(std::size_t event) const {
  std::uint64_t number = 0;
  ::ioctl(events_.at(event).get(), PERF_EVENT_IOC_ID, &number);
  return number;
}

std::optional<PerfGroup::Values> PerfGroup::read() const {
  return inherit_ ? read_each() : read_whole();
}

std::optional<PerfGroup::Values> PerfGroup::read_whole() const {
  const std::size_t words_each = reads_lost_ ? 2 : 1;
  std::array<std::uint64_t, kHeadWords + 2 * kMostEvents> words{};
  const ssize_t got = ::read(events_.front().get(), words.data(), sizeof(words));
  const std::size_t expected = (kHeadWords + words_each * events_.size()) * sizeof(words[0]);
  // End of file: the pinned group could not be scheduled (perf_event_open(2), pinned).
  if (got < 0 || static_cast<std::size_t>(got) < expected) return std::nullopt;
  Values values;
  values.enabled_ns = words[1];
  values.running_ns = words[2];
  for (std::size_t i = 0; i < events_.size(); ++i) {
    values.counts.at(i) = words.at(kHeadWords + words_each * i);
    if (reads_lost_) values.lost_samples += words.at(kHeadWords + words_each * i + 1);
  }
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
