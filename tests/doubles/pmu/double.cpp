#include "tests/doubles/pmu/double.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include "tests/doubles/pmu/kernel.hpp"

namespace bops::pmu_double {
namespace {

/// What the kernel returns for one event or a group, with everything that it can be asked for.
struct Reading {
  std::uint64_t enabled_ns = 0;
  std::uint64_t running_ns = 0;
  struct Value {
    std::uint64_t value = 0;
    Id id = 0;
    std::uint64_t lost = 0;
  };
  std::vector<Value> values;
};

constexpr std::uint64_t kAlways =
    PERF_FORMAT_ID | PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;

std::optional<Id> id_of(int fd) {
  Id id = 0;
  // PERF_EVENT_IOC_ID: any other descriptor answers ENOTTY.
  if (kernel_call(SYS_ioctl, fd, PERF_EVENT_IOC_ID, reinterpret_cast<long>(&id)) != 0)
    return std::nullopt;
  return id;
}

/// PERF_TYPE_HARDWARE and HW_CACHE name events of the core PMU, unless their upper half says which.
std::uint32_t pmu_of(Code code) {
  if (code.first == PERF_TYPE_HARDWARE || code.first == PERF_TYPE_HW_CACHE) {
    const auto type = static_cast<std::uint32_t>(code.second >> 32U);
    return type != 0 ? type : std::uint32_t{PERF_TYPE_RAW};
  }
  return code.first;
}

std::string published_path() {
  return std::string(rules_path()) + ".events";
}

/// How many rings were ever mapped, in bytes.
std::string rings_path() {
  return std::string(rules_path()) + ".rings";
}

/// How often a counter was read, in bytes.
std::string readings_path() {
  return std::string(rules_path()) + ".rdpmc";
}

void append(const std::string& path, const void* record, std::size_t size) {
  const long file = kernel_call(SYS_open, reinterpret_cast<long>(path.c_str()),
                                O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) return;
  // Whole records: writes that append do not mix.
  kernel_call(SYS_write, file, reinterpret_cast<long>(record), static_cast<long>(size));
  kernel_call(SYS_close, file);
}

Reading parse(const std::vector<std::uint64_t>& words, std::uint64_t format) {
  Reading reading;
  std::size_t next = 0;
  const bool lost = (format & kFormatLost) != 0;
  if ((format & PERF_FORMAT_GROUP) != 0) {
    reading.values.resize(words.at(next++));
    reading.enabled_ns = words.at(next++);
    reading.running_ns = words.at(next++);
    for (Reading::Value& value : reading.values) {
      value.value = words.at(next++);
      value.id = words.at(next++);
      if (lost) value.lost = words.at(next++);
    }
    return reading;
  }
  Reading::Value& value = reading.values.emplace_back();
  value.value = words.at(next++);
  reading.enabled_ns = words.at(next++);
  reading.running_ns = words.at(next++);
  value.id = words.at(next++);
  if (lost) value.lost = words.at(next++);
  return reading;
}

/// How long it was on a counter, in nanoseconds; 0 if it cannot be read.
std::uint64_t running_of(int fd, const Opening& event) {
  std::vector<std::uint64_t> words(3 * 64 + 3);
  const long got = kernel_call(SYS_read, fd, reinterpret_cast<long>(words.data()),
                               static_cast<long>(words.size() * sizeof(words[0])));
  return got <= 0 ? 0 : parse(words, event.read_format | kAlways).running_ns;
}

/// A thread that is gone, or waits to be reaped.
bool has_ended(pid_t tid) {
  std::ifstream file("/proc/" + std::to_string(tid) + "/stat");
  std::string line;
  if (!std::getline(file, line)) return true;
  const std::size_t name_end = line.rfind(") ");
  return name_end == std::string::npos || line[name_end + 2] == 'Z' || line[name_end + 2] == 'X';
}

std::vector<std::uint64_t> format_as(const Reading& reading, std::uint64_t format) {
  std::vector<std::uint64_t> words;
  const auto add_if = [&](std::uint64_t flag, std::uint64_t word) {
    if ((format & flag) != 0) words.push_back(word);
  };
  const bool group = (format & PERF_FORMAT_GROUP) != 0;
  words.push_back(group ? reading.values.size() : reading.values.front().value);
  add_if(PERF_FORMAT_TOTAL_TIME_ENABLED, reading.enabled_ns);
  add_if(PERF_FORMAT_TOTAL_TIME_RUNNING, reading.running_ns);
  for (const Reading::Value& value : reading.values) {
    if (group) words.push_back(value.value);
    add_if(PERF_FORMAT_ID, value.id);
    add_if(kFormatLost, value.lost);
  }
  return words;
}

}  // namespace

const char* rules_path() {
  return std::getenv("BOPS_PMU_DOUBLE");
}

/// Takes a new or changed file into account: a test may change its mind while events are open.
void Double::update_rules() {
  const std::string path = rules_path();
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return;
  const std::string stamp =
      path + " " + std::to_string(status.st_ino) + " " + std::to_string(status.st_size) + " " +
      std::to_string(status.st_mtim.tv_sec) + "." + std::to_string(status.st_mtim.tv_nsec);
  if (stamp == rules_stamp_) return;
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  rules_ = parse_rules(text.str());
  rules_stamp_ = stamp;
  opened_ = 0;
}

std::vector<Code> Double::group_codes(Id leader_id) const {
  std::vector<Code> codes;
  if (const auto group = groups_.find(leader_id); group != groups_.end())
    for (const Id id : group->second)
      if (const auto event = events_.find(id); event != events_.end())
        codes.push_back(event->second.code);
  return codes;
}

/// validate_group(): opening fails where the counters could never hold the group.
bool Double::fits(const OpenEvent& leader, Id leader_id, Code code) const {
  if (pmu_of(leader.code) != pmu_of(code)) return false;
  if (!rules_.counters) return true;
  std::uint32_t needed = rules_.is_general(code) ? 1 : 0;
  for (const Code& member : group_codes(leader_id)) needed += rules_.is_general(member) ? 1 : 0;
  return needed <= *rules_.counters;
}

/// The erratum of Sandy Bridge to Haswell: validate_group() passes, but no counters are found when
/// the group is to run.
bool Double::never_fits(Id leader_id) const {
  if (!rules_.exclusive) return false;
  std::uint32_t needed = 0;
  bool exclusive = false;
  for (const Code& code : group_codes(leader_id)) {
    needed += rules_.is_general(code) ? 1 : 0;
    const std::uint64_t select = code.second & 0xffU;
    exclusive = exclusive || (code.first == PERF_TYPE_RAW && select >= 0xd0 && select <= 0xd3);
  }
  return exclusive && needed > *rules_.exclusive;
}

long Double::refuse(const perf_event_attr& attributes, Code code, int group) {
  if (!rules_.types.contains(code.first)) return -ENOENT;
  if (const int error = rules_.error_of(code, attributes.exclude_kernel == 0, opened_))
    return -error;
  if (const long refused = Sampling::refuse(attributes, rules_); refused != 0) return refused;
  if (const std::optional<Id> leader_id = group >= 0 ? id_of(group) : std::nullopt)
    if (const OpenEvent* leader = find(*leader_id); leader && !fits(*leader, *leader_id, code))
      return -EINVAL;
  if (group < 0 && rules_.counters.value_or(1) == 0 && rules_.is_general(code)) return -EINVAL;
  return 0;
}

long Double::open(const perf_event_attr* asked, pid_t pid, int cpu, int group,
                  unsigned long flags) {
  perf_event_attr attributes{};
  std::memcpy(&attributes, asked,
              std::min<std::size_t>(asked->size == 0 ? PERF_ATTR_SIZE_VER0 : asked->size,
                                    sizeof(attributes)));
  const Code code{attributes.type, attributes.config};
  const std::lock_guard lock(mutex_);
  update_rules();
  // The kernel has these PMUs: software, tracepoints, breakpoints. Others are as the rules say.
  if (!rules_.types.contains(code.first) && code.first != PERF_TYPE_RAW &&
      code.first != PERF_TYPE_HARDWARE && code.first != PERF_TYPE_HW_CACHE)
    return kernel_call(SYS_perf_event_open, reinterpret_cast<long>(asked), pid, cpu, group,
                       static_cast<long>(flags));
  if (const long refused = refuse(attributes, code, group); refused != 0) return refused;

  OpenEvent event;
  event.code = code;
  event.tid = pid != 0 ? pid : static_cast<pid_t>(kernel_call(SYS_gettid));
  event.counts_kernel = attributes.exclude_kernel == 0;
  event.pinned = attributes.pinned != 0;
  event.samples = attributes.sample_period != 0;
  event.read_format = attributes.read_format;
  const perf_event_attr wanted = attributes;
  attributes.size = sizeof(attributes);
  attributes.type = PERF_TYPE_SOFTWARE;
  attributes.config = PERF_COUNT_SW_DUMMY;
  attributes.config1 = attributes.config2 = 0;
  attributes.precise_ip = 0;
  attributes.read_format |= kAlways;
  const long fd = kernel_call(SYS_perf_event_open, reinterpret_cast<long>(&attributes), pid, cpu,
                              group, static_cast<long>(flags));
  if (fd < 0) return fd;
  const std::optional<Id> id = id_of(static_cast<int>(fd));
  if (!id) std::abort();
  const Id leader = group >= 0 ? id_of(group).value_or(*id) : *id;
  event.leader = leader;
  if (rules_.ask_for_names()) {
    const auto of_leader = events_.find(leader);
    event.name = of_leader != events_.end() && of_leader->second.tid == event.tid
                     ? of_leader->second.name
                     : std::make_shared<ThreadName>(event.tid);
  }
  event.id = *id;
  sampling_.open(*id, wanted, event.tid);
  publish(event);
  groups_[leader].push_back(*id);
  events_[*id] = std::move(event);
  ++opened_;
  return fd;
}

OpenEvent* Double::find(Id id) {
  const auto event = events_.find(id);
  return event == events_.end() ? nullptr : &event->second;
}

void Double::publish(const Opening& opening) const {
  append(published_path(), &opening, sizeof(opening));
}

void Double::take_published() {
  std::ifstream file(published_path(), std::ios::binary);
  file.seekg(static_cast<std::streamoff>(published_read_));
  Opening opening;
  while (file.read(reinterpret_cast<char*>(&opening), sizeof(opening))) {
    published_read_ += sizeof(opening);
    OpenEvent event;
    static_cast<Opening&>(event) = opening;
    if (events_.try_emplace(opening.id, std::move(event)).second)
      groups_[opening.leader].push_back(opening.id);
  }
}

/// An event of another process too, of which this one has a descriptor.
OpenEvent* Double::find_published(Id id) {
  if (OpenEvent* event = find(id)) return event;
  struct stat status {};
  if (::stat(published_path().c_str(), &status) != 0 ||
      static_cast<std::uint64_t>(status.st_size) <= published_read_)
    return nullptr;
  take_published();
  return find(id);
}

Subject Double::subject_of(const OpenEvent& event, std::uint64_t running_ns) const {
  return {event.tid, event.name ? event.name->last() : "", running_ns};
}

std::uint64_t Double::value_of(const OpenEvent& event, std::uint64_t running_ns) const {
  if (running_ns == 0) return 0;
  const Subject subject = subject_of(event, running_ns);
  const std::uint64_t percent = rules_.running_percent(pmu_of(event.code), subject);
  const std::uint64_t count = rules_.count(event.code, event.counts_kernel, subject);
  return count / 100 * percent + count % 100 * percent / 100;
}

std::optional<long> Double::read(int fd, void* buffer, std::size_t size) {
  const std::optional<Id> id = id_of(fd);
  if (!id) return std::nullopt;
  const std::lock_guard lock(mutex_);
  const OpenEvent* event = find_published(*id);
  if (event == nullptr) return std::nullopt;
  update_rules();
  std::vector<std::uint64_t> words(3 * 64 + 3);
  const long got = kernel_call(SYS_read, fd, reinterpret_cast<long>(words.data()),
                               static_cast<long>(words.size() * sizeof(words[0])));
  if (got <= 0) return got;
  words.resize(static_cast<std::size_t>(got) / sizeof(words[0]));
  Reading reading = parse(words, event->read_format | kAlways);

  const auto leader = events_.find(event->leader);
  const bool pinned = leader != events_.end() && leader->second.pinned;
  std::uint32_t percent =
      rules_.running_percent(pmu_of(event->code), subject_of(*event, reading.running_ns));
  if (never_fits(event->leader)) percent = 0;
  // A pinned group that finds no counters goes into an error state, and reads nothing. It is tried
  // when the thread first runs, not before. Once the thread has ended nothing tells of that state
  // but the time, which stood still in it.
  if (pinned && percent == 0 && reading.enabled_ns > 0) {
    if (!has_ended(event->tid)) return 0;
    reading.enabled_ns = reading.running_ns = 0;
  }
  if (percent > 0) sample(*event, reading.running_ns);
  for (Reading::Value& value : reading.values)
    if (const auto member = events_.find(value.id); member != events_.end()) {
      value.value =
          percent == 0 ? 0 : value_of(member->second, reading.running_ns) - member->second.base;
      value.lost += sampling_.lost(value.id);
    }
  reading.running_ns =
      reading.running_ns / 100 * percent + reading.running_ns % 100 * percent / 100;
  const std::vector<std::uint64_t> given = format_as(reading, event->read_format);
  if (size < given.size() * sizeof(given[0])) return -ENOSPC;
  std::memcpy(buffer, given.data(), given.size() * sizeof(given[0]));
  return static_cast<long>(given.size() * sizeof(given[0]));
}

/// What the event's group has sampled, once it is read.
void Double::sample(const OpenEvent& event, std::uint64_t running_ns) {
  if (!sampling_.has_rings()) return;
  sampling_.relay(event.leader);
  const auto group = groups_.find(event.leader);
  if (group == groups_.end()) return;
  for (const Id id : group->second)
    if (const OpenEvent* member = find(id))
      if (const auto name = rules_.events.find(member->code); name != rules_.events.end())
        sampling_.deliver(rules_, id, name->second, subject_of(*member, running_ns));
}

void Double::reset(int fd, bool group) {
  const std::optional<Id> id = id_of(fd);
  if (!id) return;
  const std::lock_guard lock(mutex_);
  const OpenEvent* event = find(*id);
  if (event == nullptr) return;
  const std::uint64_t running_ns = running_of(fd, *event);
  const std::vector<Id> members = group ? groups_[event->leader] : std::vector<Id>{*id};
  for (const Id member : members)
    if (const auto found = events_.find(member); found != events_.end())
      found->second.base = value_of(found->second, running_ns);
}

void Double::duplicated(int fd) {
  const std::optional<Id> id = id_of(fd);
  if (!id) return;
  const std::lock_guard lock(mutex_);
  if (OpenEvent* event = find(*id)) ++event->descriptors;
}

void Double::closing(int fd) {
  const std::optional<Id> id = id_of(fd);
  if (!id) return;
  std::shared_ptr<ThreadName> name;  // closes descriptors too: when the lock is gone
  const std::lock_guard lock(mutex_);
  OpenEvent* event = find(*id);
  if (event == nullptr || --event->descriptors > 0) return;
  name = std::move(event->name);
  const Id leader = event->leader;
  events_.erase(*id);
  sampling_.close(*id);
  std::vector<Id>& members = groups_[leader];
  std::erase(members, *id);
  if (members.empty()) groups_.erase(leader);
}

std::optional<long> Double::map(int fd, std::size_t size, bool writable) {
  const std::optional<Id> id = id_of(fd);
  if (!id) return std::nullopt;
  const std::lock_guard lock(mutex_);
  update_rules();
  if (OpenEvent* const event = find_published(*id);
      event != nullptr && !writable && rules_.rdpmc && size == 4096)
    return map_counter(fd, *event);
  const auto mapped = sampling_.map(fd, *id, size, writable, rules_);
  if (mapped) append(rings_path(), "", 1);
  return mapped;
}

bool Double::unmap(void* memory, std::size_t size) {
  if (!sampling_.has_rings() && !counter_pages_.has_pages()) return false;
  std::optional<int> fd;
  {
    const std::lock_guard lock(mutex_);
    if (size == 4096) fd = counter_pages_.unmap(memory);
    if (!fd) return sampling_.unmap(memory, size);
  }
  closing(*fd);
  kernel_call(SYS_close, *fd);
  return true;
}

/// Nothing: it is on no counter, as the kernel's own page says.
std::optional<long> Double::map_counter(int fd, OpenEvent& event) {
  if (event.samples) return -EINVAL;  // its ring is mapped, which has another size
  const std::uint64_t running_ns = running_of(fd, event);
  if (rules_.running_percent(pmu_of(event.code), subject_of(event, running_ns)) < 100)
    return std::nullopt;
  rlimit descriptors{};
  ::getrlimit(RLIMIT_NOFILE, &descriptors);
  const long kept =
      kernel_call(SYS_fcntl, fd, F_DUPFD_CLOEXEC,
                  static_cast<long>(std::min<rlim_t>(descriptors.rlim_cur, 4096) / 2));
  if (kept < 0) return kept;
  ++event.descriptors;
  return counter_pages_.map(static_cast<int>(kept), event.id, value_of(event, running_ns));
}

std::optional<std::uint64_t> Double::read_counter(std::uint32_t counter) {
  const std::lock_guard lock(mutex_);
  const auto read = counter_pages_.find(counter);
  OpenEvent* const event = read ? find(read->event) : nullptr;
  if (event == nullptr) return std::nullopt;
  update_rules();
  append(readings_path(), "", 1);
  const std::uint64_t running_ns = running_of(read->fd, *event);
  if (!rules_.rdpmc ||
      rules_.running_percent(pmu_of(event->code), subject_of(*event, running_ns)) < 100)
    counter_pages_.take_off(counter);
  return counter_pages_.read(counter, value_of(*event, running_ns)) + rules_.rdpmc.value_or(0);
}

void Double::set_output(int fd, int other) {
  const std::optional<Id> id = id_of(fd), of_other = id_of(other);
  const std::lock_guard lock(mutex_);
  if (id) sampling_.set_output(*id, of_other.value_or(0));
}

}  // namespace bops::pmu_double
