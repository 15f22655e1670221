#include "collectors/pmu/group_sum.hpp"

#include <algorithm>

namespace bops::pmu {
namespace {

// A count times a time needs more than 64 bits. (__extension__: not in ISO C++.)
__extension__ using WideInteger = unsigned __int128;

/// Times are taken a moment apart where a group is enabled while its thread runs.
constexpr std::uint64_t kTolerance = 1000;  // one part in

std::uint64_t scaled(std::uint64_t count, std::uint64_t enabled, std::uint64_t running) {
  if (running == 0 || running >= enabled || enabled - running <= enabled / kTolerance) return count;
  return static_cast<std::uint64_t>((WideInteger{count} * enabled + running / 2) / running);
}

/// The value of each role, of one set or of the sum of all.
struct Sum {
  std::array<std::uint64_t, 5> values{};
  bool has_cycles = true;

  std::uint64_t& operator[](Role role) { return values.at(static_cast<std::size_t>(role)); }
};

/// The groups of one set took turns: each is scaled to the whole time.
void add_set(Sum& sum, std::span<const GroupReading> groups, std::size_t set, bool scale,
             std::uint64_t& enabled, std::uint64_t& running, bool& missing) {
  std::array<bool, 5> seen{};
  bool first = true;
  for (const GroupReading& group : groups) {
    if (group.set != set) continue;
    for (std::size_t i = 0; i < group.roles->size(); ++i) {
      const Role role = (*group.roles)[i];
      // Every group counts the instructions; the first one's are as good as any.
      if (std::exchange(seen.at(static_cast<std::size_t>(role)), true)) continue;
      sum[role] += scale ? scaled(group.values.at(i), group.enabled_ns, group.running_ns)
                         : group.values.at(i);
    }
    missing |= group.enabled_ns > 0 && group.running_ns == 0;
    enabled = std::max(enabled, group.enabled_ns);
    running = first ? group.running_ns : std::min(running, group.running_ns);
    first = false;
  }
  sum.has_cycles &= seen.at(static_cast<std::size_t>(Role::kCycles));
}

}  // namespace

void CountedShare::add(std::size_t set, std::uint64_t enabled_ns, std::uint64_t running_ns) {
  if (enabled_ns == 0) return;  // the thread has not run
  const double share = static_cast<double>(running_ns) / static_cast<double>(enabled_ns);
  auto& least = least_.at(set);
  least = std::min(least.value_or(share), share);
}

double CountedShare::of_the_time() const {
  bool has_run = false;
  double sum = 0;
  for (const auto& share : least_) {
    has_run |= share.has_value();
    sum += share.value_or(0);
  }
  return has_run ? sum : 1;
}

bool CountedShare::is_whole() const {
  return of_the_time() >= 1 - 1.0 / kTolerance;
}

Reading sum_groups(const std::vector<EventSet>& sets, std::span<const GroupReading> groups) {
  const bool is_hybrid = sets.size() > 1;
  Sum sum;
  std::uint64_t enabled = 0;
  std::uint64_t running = 0;
  bool any_missing = false;
  for (std::size_t set = 0; set < sets.size(); ++set) {
    std::uint64_t set_running = 0;
    bool missing = false;
    add_set(sum, groups, set, !is_hybrid, enabled, set_running, missing);
    running += set_running;
    any_missing |= missing;
  }
  if (is_hybrid)
    for (std::uint64_t& value : sum.values) value = scaled(value, enabled, running);

  Reading reading;
  reading.counts = {sum[Role::kInstructions], sum[Role::kLoads], sum[Role::kStores],
                    sum[Role::kBranches]};
  if (sum.has_cycles) reading.cycles = sum[Role::kCycles];
  if (enabled == 0) return reading;  // the thread has not run
  CountedShare share(sets.size());
  for (const GroupReading& group : groups) share.add(group.set, group.enabled_ns, group.running_ns);
  reading.share = share.of_the_time();
  const bool never = is_hybrid ? running == 0 : any_missing;
  if (never)
    reading.state = Reading::State::kNeverScheduled;
  else if (!share.is_whole())
    reading.state = Reading::State::kScaled;
  return reading;
}

}  // namespace bops::pmu
