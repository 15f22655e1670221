#include "collectors/pmu/sampler.hpp"

#include <linux/perf_event.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>
#include <variant>

#include "platform/quiet_thread.hpp"

namespace bops::pmu {
namespace {

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

constexpr std::array kFormula{Role::kInstructions, Role::kLoads, Role::kStores, Role::kBranches};
constexpr std::array kNames{"instructions", "loads", "stores", "branches"};

bool opens(const EventSet& set, const SampleManner& manner, bool with_kernel) {
  std::array<const Event*, PerfGroup::kMostEvents> events{};
  const std::vector<Role>& roles = set.groups.front();
  for (std::size_t i = 0; i < roles.size(); ++i) events.at(i) = &event_of(set, roles[i]);
  PerfGroup group;
  GroupManner how{0, Start::kOnExec, false, with_kernel, true};
  how.samples = &manner;
  return group.open({events.data(), roles.size()}, how) == 0;
}

/// Loads, stores and branches name the very instruction where the CPU can do so for them (PEBS of
/// Intel); instructions do not, which would take a general-purpose counter more.
SampleManner most_precise(const EventSet& set, std::uint64_t period, bool with_kernel) {
  constexpr std::uint8_t kNoSkid = 2;  // perf_event_attr::precise_ip, "requested to have 0 skid"
  SampleManner manner;
  manner.period = period;
  for (bool SampleManner::*const newer : {&SampleManner::build_ids, &SampleManner::reads_lost}) {
    manner.*newer = true;
    manner.*newer = opens(set, manner, with_kernel);
  }
  const std::vector<Role>& roles = set.groups.front();
  for (std::size_t i = 0; i < roles.size(); ++i) {
    if (roles[i] == Role::kCycles || roles[i] == Role::kInstructions) continue;
    if (event_of(set, roles[i]).type == PERF_TYPE_SOFTWARE) continue;
    manner.precise.at(i) = kNoSkid;
    if (!opens(set, manner, with_kernel)) manner.precise.at(i) = 0;
  }
  return manner;
}

}  // namespace

Result<std::unique_ptr<Sampler>> Sampler::create(const std::vector<EventSet>& sets,
                                                 std::uint64_t period, bool with_kernel) {
  std::vector<SampleManner> manners;
  std::vector<std::string> skidding;
  for (const EventSet& set : sets) {
    if (set.groups.size() != 1)
      return failure(
          "the events do not fit this CPU's counters together, so samples of them would "
          "be of parts of the time",
          "leave out --sample, or find the functions with --collector native");
    manners.push_back(most_precise(set, period, with_kernel));
    for (std::size_t i = 0; i < set.groups.front().size(); ++i) {
      const auto role = std::find(kFormula.begin(), kFormula.end(), set.groups.front()[i]);
      if (role == kFormula.end() || manners.back().precise.at(i) > 0) continue;
      if (event_of(set, *role).type == PERF_TYPE_SOFTWARE) continue;  // where it happens
      const char* name = kNames.at(static_cast<std::size_t>(role - kFormula.begin()));
      if (std::find(skidding.begin(), skidding.end(), name) == skidding.end())
        skidding.emplace_back(name);
    }
  }
  return std::unique_ptr<Sampler>(new Sampler(std::move(manners), std::move(skidding)));
}

Sampler::Sampler(std::vector<SampleManner> manners, std::vector<std::string> skidding)
    : manners_(std::move(manners)),
      skidding_(std::move(skidding)),
      filling_(::epoll_create1(EPOLL_CLOEXEC)),
      stop_(::eventfd(0, EFD_CLOEXEC)) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = stop_.get();
  ::epoll_ctl(filling_.get(), EPOLL_CTL_ADD, stop_.get(), &event);
}

Sampler::~Sampler() {
  constexpr std::uint64_t kStop = 1;
  if (!drainer_.joinable()) return;
  (void)!::write(stop_.get(), &kStop, sizeof(kStop));
  drainer_.join();
}

Sampler::Watch::~Watch() {
  const std::lock_guard lock(sampler_.mutex_);
  ::epoll_ctl(sampler_.filling_.get(), EPOLL_CTL_DEL, leader_, nullptr);
  sampler_.drain(*this);
  sampler_.watches_.erase(leader_);
  for (const std::uint64_t event : events_) sampler_.event_of_.erase(event);
}

void Sampler::Watch::drain(std::uint64_t lost_so_far) {
  const std::lock_guard lock(sampler_.mutex_);
  sampler_.drain(*this);
  if (!sampler_.manners_.front().reads_lost) return;
  sampler_.lost_ += lost_so_far - std::exchange(lost_, lost_so_far);
}

std::unique_ptr<Sampler::Watch> Sampler::watch(const PerfGroup& group,
                                               const std::vector<Role>& roles, pid_t tid) {
  SampleBuffer buffer;
  int error = buffer.map(group.leader());
  if (error == 0) error = group.sample_into_leader();
  const std::lock_guard lock(mutex_);
  if (error != 0) {
    ++threads_without_;
    refusal_ = error == EPERM
                   ? "the buffers of their samples are more than may be locked in memory; run bops "
                     "as root, or raise kernel.perf_event_mlock_kb or ulimit -l"
                   : "the buffers of their samples cannot be mapped: " +
                         std::generic_category().message(error);
    return nullptr;
  }
  std::unique_ptr<Watch> made(new Watch(*this, group.leader(), std::move(buffer)));
  for (std::size_t i = 0; i < roles.size(); ++i) {
    const auto role = std::find(kFormula.begin(), kFormula.end(), roles[i]);
    if (role == kFormula.end()) continue;
    made->events_.push_back(group.number_of(i));
    event_of_[made->events_.back()] = static_cast<std::size_t>(role - kFormula.begin());
  }
  // The first thread of a process brings the mappings; of one before its execve(2), they are of
  // no use, and are replaced by those that the kernel tells.
  if (::syscall(SYS_tgkill, tid, tid, 0) == 0) code_.add_process(tid);
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;  // an ended thread is readable for ever
  event.data.fd = group.leader();
  ::epoll_ctl(filling_.get(), EPOLL_CTL_ADD, group.leader(), &event);
  watches_.emplace(group.leader(), made.get());
  if (!drainer_.joinable()) drainer_ = quiet_thread([this] { keep_draining(); });
  return made;
}

/// Of the thread that empties buffers while the target runs.
void Sampler::keep_draining() {
  for (;;) {
    epoll_event event{};
    const int got = ::epoll_wait(filling_.get(), &event, 1, -1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0 || event.data.fd == stop_.get()) return;
    const std::lock_guard lock(mutex_);
    // It may have gone since.
    if (const auto watch = watches_.find(event.data.fd); watch != watches_.end())
      drain(*watch->second);
  }
}

void Sampler::drain(Watch& watch) {
  watch.buffer_.drain([this](std::span<const std::byte> bytes) { take(bytes); });
}

void Sampler::take(std::span<const std::byte> bytes) {
  auto record = parse_sample_record(bytes);
  if (!record) return;
  std::visit(Overloaded{[this](const AddressSample& sample) {
                          const auto event = event_of_.find(sample.event);
                          if (event == event_of_.end()) return;  // of cycles
                          code_.add_sample(sample.pid, sample.address, event->second);
                        },
                        [this](CodeMapping& mapping) { code_.add_mapping(std::move(mapping)); },
                        [this](const NewProgram& program) { code_.start_program(program.pid); },
                        [this](const LostSamples& lost) {
                          if (!manners_.front().reads_lost) lost_ += lost.number;
                        }},
             *record);
}

SampledFunctions Sampler::functions() const {
  const std::lock_guard lock(mutex_);
  SampledFunctions sampled;
  sampled.period = manners_.front().period;
  sampled.functions = code_.functions();
  sampled.lost = lost_;
  sampled.threads_without = threads_without_;
  sampled.skidding = skidding_;
  const FormulaSamples all = sampled.all();
  for (SampledFunction& function : sampled.functions)
    function.estimate = estimate_of(function.samples, all, sampled.period);
  std::sort(sampled.functions.begin(), sampled.functions.end(),
            [](const SampledFunction& a, const SampledFunction& b) {
              return a.estimate.bops_formula > b.estimate.bops_formula;
            });
  return sampled;
}

}  // namespace bops::pmu
