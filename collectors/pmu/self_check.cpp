#include "collectors/pmu/self_check.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <utility>

#include "platform/files.hpp"
#include "workloads/known_asm/known_loops.h"

namespace bops::pmu {
namespace {

constexpr std::uint64_t kRounds = 1'000'000;  // 14 million instructions, 4 ms
constexpr int kAttempts = 3;

constexpr InstructionCounts kExpected = [] {
  InstructionCounts counts =
      InstructionCounts{BOPS_KNOWN_LOOPS_INSTRUCTIONS, BOPS_KNOWN_LOOPS_LOADS,
                        BOPS_KNOWN_LOOPS_STORES, BOPS_KNOWN_LOOPS_BRANCHES}
          .times(kRounds);
  counts += {BOPS_KNOWN_LOOPS_BESIDES_INSTRUCTIONS, BOPS_KNOWN_LOOPS_BESIDES_LOADS,
             BOPS_KNOWN_LOOPS_BESIDES_STORES, BOPS_KNOWN_LOOPS_BESIDES_BRANCHES};
  return counts;
}();

struct NamedCount {
  const char* name;
  std::uint64_t expected;
  std::uint64_t counted;
  [[nodiscard]] double error() const {
    const std::uint64_t difference = counted > expected ? counted - expected : expected - counted;
    return static_cast<double>(difference) / static_cast<double>(expected);
  }
};

std::array<NamedCount, 4> compared(const InstructionCounts& expected,
                                   const InstructionCounts& counted) {
  return {NamedCount{"instructions", expected.total, counted.total},
          NamedCount{"loads", expected.loads, counted.loads},
          NamedCount{"stores", expected.stores, counted.stores},
          NamedCount{"branches", expected.branches, counted.branches}};
}

std::string percent(double share) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.3g %%", share * 100);
  return text.data();
}

}  // namespace

Result<SelfCheckResult> check_counters(const CountFunction& count, double margin) {
  std::array<std::uint64_t, 3> cells{1, 2, 3};
  const std::function<void()> work = [&cells] { bops_known_loops(kRounds, cells.data()); };
  bops_known_loops(1, cells.data());  // the first touch of a page may count
  SelfCheckResult best;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const auto counted = count(work);
    if (!counted) return tl::unexpected(counted.error());
    SelfCheckResult result{kExpected, *counted, 0, margin};
    for (const NamedCount& each : compared(kExpected, *counted))
      result.error = std::max(result.error, each.error());
    if (attempt == 0 || result.error < best.error) best = result;
    if (best.passed()) break;
  }
  return best;
}

Warning self_check_warning(const SelfCheckResult& result, const std::string& table) {
  std::string off;
  for (const NamedCount& each : compared(result.expected, result.counted)) {
    if (each.error() <= result.margin) continue;
    off += (off.empty() ? "" : ", ") + std::string(each.name) + " " + std::to_string(each.counted) +
           " instead of " + std::to_string(each.expected) + " (off by " + percent(each.error()) +
           ")";
  }
  return {"pmu_self_check_failed",
          "The counters of this CPU miscount work that is known: " + off + "; " +
              percent(result.margin) + " would pass for " + table +
              ". Do not rely on these numbers: count with --collector native, which is exact; "
              "look for other users of the counters (another profiler, the NMI watchdog, a "
              "hypervisor) and for errata of the CPU (bops doctor)"};
}

double margin_of(const std::vector<EventSet>& sets) {
  double margin = 0;
  for (const EventSet& set : sets) margin = std::max(margin, set.margin);
  return margin;
}

SelfCheckRecord::SelfCheckRecord(const std::string& directory, std::string subject,
                                 std::string boot_id)
    : path_(directory + "/pmu-self-check"), content_(std::move(boot_id)) {
  // Without a number of the boot nothing is ever found to have passed.
  if (!content_.empty()) content_ += "\n" + std::move(subject) + "\n";
}

bool SelfCheckRecord::has_passed() const {
  if (content_.empty()) return false;
  const auto found = read_file_whole(path_);
  return found && *found == content_;
}

void SelfCheckRecord::set_passed() const {
  constexpr mode_t kOwnerOnly = 0600;
  if (content_.empty()) return;
  const auto written = write_file_whole(path_, content_, kOwnerOnly);
  static_cast<void>(written);  // the next run checks again
}

std::string boot_id() {
  auto id = read_file_whole("/proc/sys/kernel/random/boot_id");
  if (!id) return {};
  return id->substr(0, id->find('\n'));
}

Result<std::optional<Warning>> self_check(const CountFunction& count,
                                          const std::vector<EventSet>& sets,
                                          const SelfCheckRecord& record) {
  if (record.has_passed()) return std::nullopt;
  const auto result = check_counters(count, margin_of(sets));
  if (!result) return tl::unexpected(result.error());
  if (result->passed()) {
    record.set_passed();
    return std::nullopt;
  }
  std::string tables;
  for (const EventSet& set : sets) tables += (tables.empty() ? "" : " and ") + set.table;
  return self_check_warning(*result, tables);
}

}  // namespace bops::pmu
