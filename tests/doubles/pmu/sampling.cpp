#include "tests/doubles/pmu/sampling.hpp"

#include <cerrno>
#include <ctime>
#include <vector>

namespace bops::pmu_double {
namespace {

constexpr std::uint64_t kKnownFields = PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP | PERF_SAMPLE_TID |
                                       PERF_SAMPLE_TIME | PERF_SAMPLE_ADDR | PERF_SAMPLE_ID |
                                       PERF_SAMPLE_STREAM_ID | PERF_SAMPLE_CPU | PERF_SAMPLE_PERIOD;

std::uint64_t now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace

long Sampling::refuse(const perf_event_attr& attributes, const Rules& rules) {
  const auto has = [&rules](const char* what) { return !rules.without.contains(what); };
  if ((attributes.read_format & kFormatLost) != 0 && !has("lost")) return -EINVAL;
  if (attributes.build_id != 0 && !has("build_id")) return -EINVAL;
  if (attributes.precise_ip != 0 && !has("precise")) return -EOPNOTSUPP;
  if (attributes.sample_period == 0) return 0;
  // These the double has not learnt: better refused than delivered wrong.
  const bool known = attributes.freq == 0 && attributes.inherit == 0 &&
                     attributes.sample_id_all == 0 && attributes.write_backward == 0 &&
                     (attributes.sample_type & ~kKnownFields) == 0;
  return known ? 0 : -EINVAL;
}

void Sampling::open(Id id, const perf_event_attr& attributes, pid_t tid) {
  if (attributes.sample_period == 0) return;
  Event event;
  event.period = attributes.sample_period;
  event.fields = attributes.sample_type;
  event.precise = attributes.precise_ip > 0;
  event.tid = tid;
  event.pid = process_of(tid);
  event.output = id;
  if (attributes.mmap != 0) code_.look_at(event.pid);
  events_.insert_or_assign(id, std::move(event));
}

std::optional<long> Sampling::map(int fd, Id id, std::size_t bytes, bool writable,
                                  const Rules& rules) {
  if (!writable || !events_.contains(id)) return std::nullopt;
  if (rules.rings && rings_.size() >= *rules.rings) return -EPERM;
  if (rings_.contains(id)) return -EINVAL;  // the kernel would give the same memory once more
  long error = 0;
  std::unique_ptr<SampleRing> ring = SampleRing::map(fd, bytes, error);
  if (!ring) return error;
  const auto memory = reinterpret_cast<long>(ring->memory());
  rings_.emplace(id, std::move(ring));
  rings_mapped_ = rings_.size();
  return memory;
}

bool Sampling::unmap(void* memory, std::size_t bytes) {
  for (auto ring = rings_.begin(); ring != rings_.end(); ++ring)
    if (ring->second->memory() == memory && ring->second->bytes() == bytes) {
      rings_.erase(ring);
      rings_mapped_ = rings_.size();
      return true;
    }
  return false;
}

void Sampling::set_output(Id id, Id other) {
  if (const auto event = events_.find(id); event != events_.end()) event->second.output = other;
}

SampleRing* Sampling::ring_of(const Event& event) {
  const auto ring = rings_.find(event.output);
  return ring == rings_.end() ? nullptr : ring->second.get();
}

void Sampling::relay(Id id) {
  const auto ring = rings_.find(id);
  if (ring == rings_.end()) return;
  const std::uint64_t lost =
      ring->second->relay(id, [this](const SampleRing::Record& record) { code_.take(record); });
  if (const auto event = events_.find(id); event != events_.end()) event->second.lost += lost;
}

void Sampling::deliver(const Rules& rules, Id id, const std::string& name, const Subject& subject) {
  const auto found = events_.find(id);
  if (found == events_.end() || subject.running_ns == 0) return;
  Event& event = found->second;
  SampleRing* const ring = ring_of(event);
  if (ring == nullptr) return;  // what samples into no ring leaves nothing
  for (const SampleRule& rule : rules.samples) {
    const auto count = rule.counts.find(name);
    if (count == rule.counts.end() || !matches(rule.pattern, subject)) continue;
    std::optional<std::uint64_t> address = rule.place;
    if (!rule.lost && !rule.file.empty()) address = code_.address(event.pid, rule.file, rule.place);
    if (!address || !event.delivered.insert(rule.line).second) continue;
    const bool in_kernel = (*address >> 63U) != 0;
    const auto misc =
        static_cast<std::uint16_t>((in_kernel ? PERF_RECORD_MISC_KERNEL : PERF_RECORD_MISC_USER) |
                                   (event.precise ? PERF_RECORD_MISC_EXACT_IP : 0));
    const std::uint64_t threads =
        static_cast<std::uint64_t>(event.tid) << 32U | static_cast<std::uint32_t>(event.pid);
    std::vector<std::uint64_t> words;
    // In the order of the manual.
    for (const auto& [field, word] : std::initializer_list<std::pair<std::uint64_t, std::uint64_t>>{
             {PERF_SAMPLE_IDENTIFIER, id},
             {PERF_SAMPLE_IP, *address},
             {PERF_SAMPLE_TID, threads},
             {PERF_SAMPLE_TIME, now_ns()},
             {PERF_SAMPLE_ADDR, 0},
             {PERF_SAMPLE_ID, id},
             {PERF_SAMPLE_STREAM_ID, id},
             {PERF_SAMPLE_CPU, 0},
             {PERF_SAMPLE_PERIOD, event.period}})
      if ((event.fields & field) != 0) words.push_back(word);
    const SampleRing::Record record = make_record(PERF_RECORD_SAMPLE, misc, words);
    for (std::uint64_t left = count->second.value(subject); left > 0; --left) {
      if (rule.lost) ring->lose();
      if (rule.lost || !ring->put(id, record)) ++event.lost;
    }
  }
}

std::uint64_t Sampling::lost(Id id) const {
  const auto event = events_.find(id);
  return event == events_.end() ? 0 : event->second.lost;
}

}  // namespace bops::pmu_double
