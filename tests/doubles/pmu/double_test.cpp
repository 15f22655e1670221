// The double keeps the kernel's rules: what passes here with it would pass with a PMU.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <thread>
#include <vector>

#include "platform/unique_fd.hpp"
#include "tests/doubles/pmu/pmu_double.hpp"

namespace bops {
namespace {

constexpr std::uint64_t kInstructions = 0xc0, kLoads = 0x81d0, kStores = 0x82d0, kBranches = 0xc4;
constexpr std::uint64_t kTimes = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;

perf_event_attr raw(std::uint64_t config, std::uint64_t read_format = kTimes) {
  perf_event_attr attributes{};
  attributes.size = sizeof(attributes);
  attributes.type = PERF_TYPE_RAW;
  attributes.config = config;
  attributes.read_format = read_format;
  attributes.exclude_kernel = 1;
  return attributes;
}

/// The descriptor; without one, errno says why.
UniqueFd open_event(const perf_event_attr& attributes, pid_t tid = 0, int group = -1,
                    int cpu = -1) {
  return UniqueFd(static_cast<int>(
      ::syscall(SYS_perf_event_open, &attributes, tid, cpu, group, PERF_FLAG_FD_CLOEXEC)));
}

void work() {
  for (int left = 300'000; left != 0; --left) __asm__ volatile("");
}

struct Read {
  std::uint64_t value = 0, enabled_ns = 0, running_ns = 0;
};
Read read_one(const UniqueFd& event) {
  Read got;
  EXPECT_EQ(::read(event.get(), &got, sizeof(got)), static_cast<ssize_t>(sizeof(got)));
  return got;
}

const std::string kFour = PmuDouble::skylake_events();

TEST(PmuDouble, counts_what_the_rules_say_once_the_thread_has_run) {
  const PmuDouble pmu(kFour + "thread * instructions=12345 loads=678");
  perf_event_attr attributes = raw(kInstructions);
  attributes.disabled = 1;
  const UniqueFd instructions = open_event(attributes);
  ASSERT_TRUE(instructions) << std::strerror(errno);
  work();
  EXPECT_EQ(read_one(instructions).value, 0U);
  EXPECT_EQ(read_one(instructions).enabled_ns, 0U);
  ASSERT_EQ(::ioctl(instructions.get(), PERF_EVENT_IOC_ENABLE, 0), 0);
  work();
  const Read got = read_one(instructions);
  EXPECT_EQ(got.value, 12345U);
  EXPECT_GT(got.enabled_ns, 0U);
  EXPECT_EQ(got.enabled_ns, got.running_ns);
  EXPECT_EQ(read_one(open_event(raw(kStores))).value, 0U);  // no rule
}

TEST(PmuDouble, counts_from_a_reset_on) {
  const PmuDouble pmu(kFour + "thread * instructions=3/us");
  const UniqueFd event = open_event(raw(kInstructions));
  for (int times = 0; times < 20; ++times) work();
  const std::uint64_t before = read_one(event).value;
  ASSERT_EQ(::ioctl(event.get(), PERF_EVENT_IOC_RESET, 0), 0);
  const Read after = read_one(event);
  EXPECT_GT(before, 0U);
  EXPECT_LT(after.value, before);
  EXPECT_GE(after.running_ns * 3 / 1000, after.value);
}

struct GroupRead {
  std::uint64_t count, enabled_ns, running_ns;
  struct {
    std::uint64_t value, id;
  } events[4];
};

TEST(PmuDouble, reads_a_group_at_once_in_the_order_of_opening) {
  const PmuDouble pmu(kFour + "thread * instructions=100 loads=20 stores=10 branches=30");
  constexpr std::uint64_t kFormat = PERF_FORMAT_GROUP | PERF_FORMAT_ID | kTimes;
  const UniqueFd leader = open_event(raw(kInstructions, kFormat));
  ASSERT_TRUE(leader);
  std::vector<UniqueFd> siblings;
  for (const std::uint64_t code : {kLoads, kStores, kBranches})
    siblings.push_back(open_event(raw(code, kFormat), 0, leader.get()));
  work();
  GroupRead got{};
  ASSERT_EQ(::read(leader.get(), &got, sizeof(got)), static_cast<ssize_t>(sizeof(got)));
  EXPECT_EQ(got.count, 4U);
  EXPECT_EQ(got.events[0].value, 100U);
  EXPECT_EQ(got.events[1].value, 20U);
  EXPECT_EQ(got.events[2].value, 10U);
  EXPECT_EQ(got.events[3].value, 30U);
  std::uint64_t id = 0;
  ASSERT_EQ(::ioctl(siblings[1].get(), PERF_EVENT_IOC_ID, &id), 0);
  EXPECT_EQ(got.events[2].id, id);
  // A buffer that is too small is the caller's error, not half an answer.
  EXPECT_EQ(::read(leader.get(), &got, 40), -1);
  EXPECT_EQ(errno, ENOSPC);
}

TEST(PmuDouble, gives_each_format_what_it_asks_for) {
  const PmuDouble pmu(kFour + "thread * instructions=7");
  for (const auto& [format, words] :
       {std::pair{std::uint64_t{0}, 1}, std::pair{kTimes, 3},
        std::pair{std::uint64_t{PERF_FORMAT_ID}, 2}, std::pair{std::uint64_t{PERF_FORMAT_GROUP}, 2},
        std::pair{std::uint64_t{PERF_FORMAT_GROUP | PERF_FORMAT_TOTAL_TIME_RUNNING}, 3}}) {
    const UniqueFd event = open_event(raw(kInstructions, format));
    work();
    std::array<std::uint64_t, 16> got{};
    EXPECT_EQ(::read(event.get(), got.data(), sizeof(got)), words * 8) << format;
    EXPECT_EQ(got[(format & PERF_FORMAT_GROUP) != 0 ? words - 1 : 0], 7U) << format;
  }
}

TEST(PmuDouble, tells_threads_apart_by_their_numbers_and_after_their_end) {
  const PmuDouble pmu(kFour + "thread * instructions=1000*tid+5");
  std::vector<std::pair<pid_t, UniqueFd>> events;
  for (int index = 0; index < 40; ++index) {
    std::thread([&] {
      const pid_t tid = ::gettid();
      events.emplace_back(tid, open_event(raw(kInstructions), tid));
      work();
    }).join();
  }
  for (const auto& [tid, event] : events)
    EXPECT_EQ(read_one(event).value, static_cast<std::uint64_t>(tid) * 1000 + 5);
}

TEST(PmuDouble, tells_threads_apart_by_the_names_they_took_after_they_were_opened) {
  const PmuDouble pmu(kFour +
                      "thread worker-* instructions=1000*index loads=1*index+3\n"
                      "thread * instructions=1\n");
  std::vector<UniqueFd> events;
  for (int index = 0; index < 40; ++index) {
    std::thread([&] {
      events.push_back(open_event(raw(kInstructions), ::gettid()));
      ::prctl(PR_SET_NAME, ("worker-" + std::to_string(index)).c_str());
      work();
    }).join();
  }
  for (std::size_t index = 0; index < events.size(); ++index)
    EXPECT_EQ(read_one(events[index]).value, index * 1000);
}

TEST(PmuDouble, counts_the_kernel_only_where_it_is_asked_for) {
  const PmuDouble pmu(kFour + "thread * instructions=100 kernel:instructions=11");
  perf_event_attr both = raw(kInstructions);
  both.exclude_kernel = 0;
  const UniqueFd with_kernel = open_event(both), without = open_event(raw(kInstructions));
  work();
  EXPECT_EQ(read_one(without).value, 100U);
  EXPECT_EQ(read_one(with_kernel).value, 111U);
}

TEST(PmuDouble, scales_counts_and_times_alike) {
  const PmuDouble pmu(kFour + "thread * instructions=1000000\nrunning 40");
  const UniqueFd event = open_event(raw(kInstructions));
  work();
  const Read got = read_one(event);
  EXPECT_EQ(got.value, 400'000U);
  EXPECT_NEAR(static_cast<double>(got.running_ns), static_cast<double>(got.enabled_ns) * 0.4, 2.0);
}

TEST(PmuDouble, gives_each_pmu_of_a_hybrid_its_share) {
  const PmuDouble pmu(kFour +
                      "types 0 3 4 10\nevent instructions 10 0xc0\nthread * instructions=1000\n"
                      "running 70 type=4\nrunning 30 type=10");
  perf_event_attr atom = raw(kInstructions);
  atom.type = 10;
  const UniqueFd core_event = open_event(raw(kInstructions)), atom_event = open_event(atom);
  ASSERT_TRUE(atom_event);
  work();
  EXPECT_EQ(read_one(core_event).value + read_one(atom_event).value, 1000U);
  EXPECT_EQ(read_one(atom_event).value, 300U);
  // Events of two PMUs are no group.
  EXPECT_FALSE(open_event(atom, 0, core_event.get()));
  EXPECT_EQ(errno, EINVAL);
}

TEST(PmuDouble, never_schedules_what_must_not_be) {
  const PmuDouble pmu(kFour + "thread * instructions=1000\nrunning 0");
  const UniqueFd event = open_event(raw(kInstructions));
  perf_event_attr pinned = raw(kInstructions);
  pinned.pinned = 1;
  const UniqueFd pinned_event = open_event(pinned);
  work();
  const Read got = read_one(event);
  EXPECT_EQ(got.value, 0U);
  EXPECT_EQ(got.running_ns, 0U);
  EXPECT_GT(got.enabled_ns, 0U);
  Read nothing;
  EXPECT_EQ(::read(pinned_event.get(), &nothing, sizeof(nothing)), 0);
}

TEST(PmuDouble, refuses_groups_that_the_counters_cannot_hold) {
  const PmuDouble pmu(kFour + "counters 2\nthread * instructions=1 loads=1 stores=1 branches=1");
  const UniqueFd leader = open_event(raw(kInstructions));  // on a fixed counter
  const UniqueFd loads = open_event(raw(kLoads), 0, leader.get());
  UniqueFd stores = open_event(raw(kStores), 0, leader.get());
  EXPECT_TRUE(loads && stores);
  EXPECT_FALSE(open_event(raw(kBranches), 0, leader.get()));
  EXPECT_EQ(errno, EINVAL);
  stores.reset();
  EXPECT_TRUE(open_event(raw(kBranches), 0, leader.get()));
}

// Sandy Bridge to Haswell with hyper-threading.
TEST(PmuDouble, opens_but_never_schedules_groups_that_the_erratum_forbids) {
  const PmuDouble pmu(kFour +
                      "counters 4\nexclusive 2\n"
                      "thread * instructions=9 loads=8 stores=7 branches=6");
  const UniqueFd leader = open_event(raw(kInstructions));
  const UniqueFd loads = open_event(raw(kLoads), 0, leader.get());
  const UniqueFd stores = open_event(raw(kStores), 0, leader.get());
  work();
  EXPECT_EQ(read_one(leader).value, 9U);
  const UniqueFd branches = open_event(raw(kBranches), 0, leader.get());
  EXPECT_TRUE(branches);
  work();
  EXPECT_EQ(read_one(leader).running_ns, 0U);
  EXPECT_EQ(read_one(loads).value, 0U);
}

TEST(PmuDouble, refuses_with_the_errors_of_the_rules) {
  PmuDouble pmu("error EACCES kernel\nerror ENOENT type=4 config=0x82d0\nerror EMFILE after=3");
  perf_event_attr with_kernel = raw(kInstructions);
  with_kernel.exclude_kernel = 0;
  EXPECT_FALSE(open_event(with_kernel));
  EXPECT_EQ(errno, EACCES);
  EXPECT_FALSE(open_event(raw(kStores)));
  EXPECT_EQ(errno, ENOENT);
  for (int times = 0; times < 3; ++times) EXPECT_TRUE(open_event(raw(kLoads)));
  EXPECT_FALSE(open_event(raw(kLoads)));
  EXPECT_EQ(errno, EMFILE);
  pmu.change("error EPERM");
  EXPECT_FALSE(open_event(raw(kLoads)));
  EXPECT_EQ(errno, EPERM);
  pmu.change("types 0");
  EXPECT_FALSE(open_event(raw(kLoads)));
  EXPECT_EQ(errno, ENOENT);
}

TEST(PmuDouble, leaves_the_kernels_own_refusals_to_the_kernel) {
  const PmuDouble pmu(kFour);
  EXPECT_FALSE(open_event(raw(kLoads), 0x3fffffff));
  EXPECT_EQ(errno, ESRCH);
  EXPECT_FALSE(open_event(raw(kLoads), -1, -1, -1));
  EXPECT_EQ(errno, EINVAL);
  EXPECT_FALSE(open_event(raw(kLoads), 0, 999));
  EXPECT_EQ(errno, EBADF);
  const UniqueFd leader = open_event(raw(kInstructions));
  const UniqueFd sibling = open_event(raw(kLoads), 0, leader.get());
  EXPECT_FALSE(open_event(raw(kStores), 0, sibling.get()));  // a sibling leads nothing
  EXPECT_EQ(errno, EINVAL);

  rlimit limit{}, low{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  low = {static_cast<rlim_t>(sibling.get() + 3), limit.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &low);
  std::vector<UniqueFd> events;
  while (UniqueFd event = open_event(raw(kLoads))) events.push_back(std::move(event));
  const int error = errno;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  EXPECT_EQ(error, EMFILE);
  EXPECT_LE(events.size(), 3U);
}

TEST(PmuDouble, passes_software_events_to_the_kernel) {
  const PmuDouble pmu(kFour + "thread * instructions=1");
  perf_event_attr faults = raw(PERF_COUNT_SW_PAGE_FAULTS);
  faults.type = PERF_TYPE_SOFTWARE;
  const UniqueFd event = open_event(faults);
  ASSERT_TRUE(event);
  constexpr std::size_t kPages = 100;
  auto* memory = static_cast<char*>(
      ::mmap(nullptr, kPages * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  ::madvise(memory, kPages * 4096, MADV_NOHUGEPAGE);
  for (std::size_t page = 0; page < kPages; ++page) memory[page * 4096] = 1;
  EXPECT_GE(read_one(event).value, kPages);
  ::munmap(memory, kPages * 4096);
}

TEST(PmuDouble, counts_a_program_from_its_exec_and_closes_at_it) {
  const PmuDouble pmu(kFour + "thread * instructions=777");
  std::array<int, 2> go{};
  ASSERT_EQ(::pipe2(go.data(), O_CLOEXEC), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    char byte = 0;
    if (::read(go[0], &byte, 1) != 1) ::_exit(9);
    ::execlp("true", "true", nullptr);
    ::_exit(9);
  }
  perf_event_attr attributes = raw(kInstructions);
  attributes.disabled = 1;
  attributes.enable_on_exec = 1;
  const UniqueFd event = open_event(attributes, child);
  ASSERT_TRUE(event) << std::strerror(errno);
  EXPECT_NE(::fcntl(event.get(), F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_EQ(read_one(event).value, 0U);
  pollfd waiting{event.get(), POLLIN, 0};
  EXPECT_EQ(::write(go[1], "x", 1), 1);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_EQ(read_one(event).value, 777U);
  EXPECT_EQ(::poll(&waiting, 1, 1000), 1);  // POLLHUP: the thread is gone
  EXPECT_NE(waiting.revents & POLLHUP, 0);
}

TEST(PmuDouble, keeps_an_event_while_any_descriptor_of_it_is_open) {
  const PmuDouble pmu(kFour + "thread * instructions=55");
  UniqueFd event = open_event(raw(kInstructions));
  const UniqueFd copy(::dup(event.get())), other(::fcntl(event.get(), F_DUPFD_CLOEXEC, 0));
  event.reset();
  work();
  EXPECT_EQ(read_one(copy).value, 55U);
  EXPECT_EQ(read_one(other).value, 55U);
}

TEST(PmuDouble, is_read_by_a_program_that_inherits_the_descriptor) {
  const PmuDouble pmu(kFour + "thread * instructions=55 loads=44");
  constexpr std::uint64_t kFormat = PERF_FORMAT_GROUP;
  const UniqueFd leader = open_event(raw(kInstructions, kFormat));
  const UniqueFd loads = open_event(raw(kLoads, kFormat), 0, leader.get());
  ASSERT_TRUE(leader && loads);
  work();
  ::fcntl(leader.get(), F_SETFD, 0);
  const std::string read_it =
      "dd bs=24 count=1 status=none <&" + std::to_string(leader.get()) + " | od -A n -t u8 -w24";
  FILE* output = ::popen(("exec 2>&1; " + read_it).c_str(), "r");
  ASSERT_NE(output, nullptr);
  std::uint64_t count = 0, first = 0, second = 0;
  EXPECT_EQ(std::fscanf(output, "%lu %lu %lu", &count, &first, &second), 3);
  ::pclose(output);
  EXPECT_EQ(count, 2U);
  EXPECT_EQ(first, 55U);
  EXPECT_EQ(second, 44U);
}

TEST(PmuDouble, maps_a_page_without_a_counter_to_read_from) {
  const PmuDouble pmu(kFour + "thread * instructions=55");
  const UniqueFd event = open_event(raw(kInstructions));
  void* memory = ::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, event.get(), 0);
  ASSERT_NE(memory, MAP_FAILED);
  EXPECT_EQ(static_cast<perf_event_mmap_page*>(memory)->index, 0U);  // use read(2)
  ::munmap(memory, 4096);
}

TEST(PmuDouble, is_not_there_without_rules) {
  const UniqueFd event = open_event(raw(kInstructions));
  if (event) GTEST_SKIP() << "this machine has a PMU: the kernel answers";
  EXPECT_EQ(errno, ENOENT);
}

}  // namespace
}  // namespace bops
