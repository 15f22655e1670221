// The self check finds counters that miscount, and does not cry wolf.
#include "collectors/pmu/self_check.hpp"

#include <gtest/gtest.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "platform/unique_fd.hpp"
#include "tests/doubles/pmu/event_rules.hpp"
#include "tests/doubles/pmu/pmu_double.hpp"
#include "tests/event_tables/machines.hpp"
#include "workloads/known_asm/known_loops.h"

namespace bops::pmu {
namespace {

/// What a million rounds execute (known_loops.S).
constexpr InstructionCounts kTruth{14'000'004, 3'000'001, 2'000'000, 4'000'001};

EventSet set_of(const std::string& name, std::uint32_t family, std::uint32_t model,
                const char* vendor = "GenuineIntel") {
  const FakeSysfs sysfs({"cpu"});
  const KnownMachine known{name, {vendor, family, model, 3, name}, {"cpu"}, true, {}};
  return event_sets_for(machine_of(known, sysfs)).value().front();
}
EventSet skylake() {
  return set_of("Core i7-6700", 6, 0x5e);
}

/// Counts with a group of its own, by perf_event_open(2).
Result<InstructionCounts> count_with_group(const EventSet& set, const std::function<void()>& work) {
  std::vector<UniqueFd> events;
  for (const Event* event : {&set.instructions, &set.loads, &set.stores, &set.branches}) {
    perf_event_attr attributes{};
    attributes.size = sizeof(attributes);
    attributes.type = event->type;
    attributes.config = event->config;
    attributes.disabled = events.empty() ? 1 : 0;
    attributes.exclude_kernel = 1;
    attributes.read_format = PERF_FORMAT_GROUP;
    const int leader = events.empty() ? -1 : events.front().get();
    events.emplace_back(static_cast<int>(
        ::syscall(SYS_perf_event_open, &attributes, 0, -1, leader, PERF_FLAG_FD_CLOEXEC)));
    if (!events.back()) return failure(std::string("cannot count: ") + std::strerror(errno));
  }
  ::ioctl(events.front().get(), PERF_EVENT_IOC_ENABLE, PERF_IOC_FLAG_GROUP);
  work();
  ::ioctl(events.front().get(), PERF_EVENT_IOC_DISABLE, PERF_IOC_FLAG_GROUP);
  std::array<std::uint64_t, 5> values{};
  if (::read(events.front().get(), values.data(), sizeof(values)) !=
      static_cast<ssize_t>(sizeof(values)))
    return failure("the group was not scheduled");
  return InstructionCounts{values[1], values[2], values[3], values[4]};
}

std::string rules_for(const EventSet& set, const InstructionCounts& counts) {
  return event_rules(set) + "thread * instructions=" + std::to_string(counts.total) +
         " loads=" + std::to_string(counts.loads) + " stores=" + std::to_string(counts.stores) +
         " branches=" + std::to_string(counts.branches) + "\n";
}

CountFunction grouped(const EventSet& set) {
  return [set](const std::function<void()>& work) { return count_with_group(set, work); };
}

TEST(SelfCheck, passes_with_counters_that_count_right) {
  const EventSet set = skylake();
  const PmuDouble pmu(rules_for(set, kTruth));
  const auto result = check_counters(grouped(set), set.margin);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->expected, kTruth);
  EXPECT_EQ(result->counted, kTruth);
  EXPECT_EQ(result->error, 0.0);
  EXPECT_TRUE(result->passed());
}

TEST(SelfCheck, passes_with_some_instructions_more_as_interrupts_add) {
  const EventSet set = skylake();
  InstructionCounts counts = kTruth;
  counts += {200, 10, 10, 20};
  const PmuDouble pmu(rules_for(set, counts));
  EXPECT_TRUE(check_counters(grouped(set), set.margin)->passed());
}

TEST(SelfCheck, fails_by_one_percent_of_any_count_and_says_which) {
  const EventSet set = skylake();
  const std::array<std::pair<const char*, std::uint64_t InstructionCounts::*>, 4> members{
      std::pair{"instructions", &InstructionCounts::total},
      {"loads", &InstructionCounts::loads},
      {"stores", &InstructionCounts::stores},
      {"branches", &InstructionCounts::branches}};
  for (const auto& [name, member] : members)
    for (const bool more : {true, false}) {
      InstructionCounts counts = kTruth;
      counts.*member = kTruth.*member / 100 * (more ? 101 : 99);
      const PmuDouble pmu(rules_for(set, counts));
      const auto result = check_counters(grouped(set), set.margin);
      ASSERT_TRUE(result);
      EXPECT_FALSE(result->passed()) << name;
      EXPECT_NEAR(result->error, 0.01, 0.0001);
      const Warning warning = self_check_warning(*result, set.table);
      EXPECT_NE(warning.message.find(std::string(name) + " " + std::to_string(counts.*member)),
                std::string::npos)
          << warning.message;
      for (const auto& [other, unused] : members)
        if (std::string(other) != name) {
          EXPECT_EQ(warning.message.find(std::string(other) + " "), std::string::npos)
              << warning.message;
        }
      EXPECT_NE(warning.message.find("--collector native"), std::string::npos);
      EXPECT_NE(warning.message.find("skylake"), std::string::npos);
    }
}

TEST(SelfCheck, lets_pass_what_the_file_of_the_cpu_allows_and_no_more) {
  const EventSet zen = set_of("EPYC 9654", 25, 0x11, "AuthenticAMD");
  ASSERT_GT(zen.margin, 0.01);
  ASSERT_LT(zen.margin, 0.03);
  for (const auto& [percent, passes] : {std::pair{1U, true}, std::pair{3U, false}}) {
    InstructionCounts counts = kTruth;
    counts.loads += kTruth.loads / 100 * percent;
    const PmuDouble pmu(rules_for(zen, counts));
    EXPECT_EQ(check_counters(grouped(zen), margin_of({zen, skylake()}))->passed(), passes);
  }
}

TEST(SelfCheck, takes_a_passing_disturbance_for_none) {
  int calls = 0;
  const auto disturbed_twice = [&calls](const std::function<void()>& work) {
    work();
    InstructionCounts counts = kTruth;
    if (++calls < 3) counts.total += 1'000'000;
    return Result<InstructionCounts>(counts);
  };
  EXPECT_TRUE(check_counters(disturbed_twice, 0.001)->passed());
  EXPECT_EQ(calls, 3);
}

TEST(SelfCheck, fails_as_counting_fails) {
  const EventSet set = skylake();
  const PmuDouble pmu("error EACCES");
  const auto result = check_counters(grouped(set), set.margin);
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("Permission denied"), std::string::npos);
}

// On a machine with a PMU: the machine's own counters, the double out of the way.
TEST(SelfCheck, passes_on_this_machine) {
  const auto sets = event_sets_for(this_machine());
  if (!sets) GTEST_SKIP() << sets.error().message;
  if (sets->size() > 1) GTEST_SKIP() << "a hybrid: each kind of core is to be opened";
  const auto result = check_counters(grouped(sets->front()), sets->front().margin);
  if (!result) GTEST_SKIP() << "this machine has no usable PMU: " << result.error().message;
  EXPECT_TRUE(result->passed()) << self_check_warning(*result, sets->front().table).message;
}

class Remembered : public testing::Test {
 protected:
  Remembered() {
    directory_ = testing::TempDir() + "/bops-self-check-XXXXXX";
    if (::mkdtemp(directory_.data()) == nullptr) std::abort();
  }
  ~Remembered() override {
    ::unlink((directory_ + "/pmu-self-check").c_str());
    ::rmdir(directory_.c_str());
  }
  /// Whether counting was asked for.
  bool checks(const SelfCheckRecord& record, std::uint64_t instructions_more = 0) {
    bool counted = false;
    const auto warning = self_check(
        [&](const std::function<void()>& work) {
          work();
          counted = true;
          InstructionCounts counts = kTruth;
          counts.total += instructions_more;
          return Result<InstructionCounts>(counts);
        },
        {skylake()}, record);
    EXPECT_TRUE(warning);
    EXPECT_EQ(warning->has_value(), instructions_more != 0);
    return counted;
  }
  std::string directory_;
};

TEST_F(Remembered, is_made_once_per_boot_and_subject) {
  EXPECT_TRUE(checks({directory_, "skylake papi", "boot 1"}));
  EXPECT_FALSE(checks({directory_, "skylake papi", "boot 1"}));
  struct stat status {};
  ASSERT_EQ(::stat((directory_ + "/pmu-self-check").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_TRUE(checks({directory_, "skylake perf", "boot 1"}));
  EXPECT_TRUE(checks({directory_, "skylake perf", "boot 2"}));
  EXPECT_FALSE(checks({directory_, "skylake perf", "boot 2"}));
}

TEST_F(Remembered, is_made_again_while_it_fails_or_the_boot_is_unknown) {
  for (int times = 0; times < 2; ++times)
    EXPECT_TRUE(checks({directory_, "skylake", "boot 1"}, 1'000'000));
  for (int times = 0; times < 2; ++times) EXPECT_TRUE(checks({directory_, "skylake", ""}));
}

TEST_F(Remembered, is_made_where_nothing_can_be_remembered) {
  for (int times = 0; times < 2; ++times)
    EXPECT_TRUE(checks({directory_ + "/missing", "skylake", "boot 1"}));
}

// --- What the kernel is asked about a CPU that no file is for ------------------------------------

TEST(ThisMachine, has_the_events_that_the_kernel_opens_or_only_forbids) {
  const Machine machine = this_machine();
  constexpr std::uint64_t kStores = 0x100;  // PERF_COUNT_HW_CACHE_L1D, writes
  PmuDouble pmu("");
  EXPECT_TRUE(machine.kernel_counts(PERF_TYPE_HW_CACHE, kStores));
  pmu.change("error EACCES");
  EXPECT_TRUE(machine.kernel_counts(PERF_TYPE_HW_CACHE, kStores));
  pmu.change("error ENOENT type=3 config=0x100");
  EXPECT_FALSE(machine.kernel_counts(PERF_TYPE_HW_CACHE, kStores));
  EXPECT_TRUE(machine.kernel_counts(PERF_TYPE_HW_CACHE, 0));
}

TEST(BootId, is_what_the_kernel_says) {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string line;
  std::getline(file, line);
  EXPECT_EQ(boot_id(), line);
}

}  // namespace
}  // namespace bops::pmu

int main(int argc, char** argv) {
  bops::run_with_pmu_double(argv);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
