// Programs that do what the native engine cannot follow (uncountable/): they go on as they would
// alone, and the record says what was not counted, and why.
#include <gtest/gtest.h>
#include <sys/syscall.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "collectors/exact/block_counts.hpp"
#include "collectors/exact/block_profile.hpp"
#include "platform/file_mapping.hpp"
#include "tests/harness/sanitized.hpp"
#include "tests/harness/subprocess.hpp"

namespace bops {
namespace {

using Words = std::vector<std::string>;

std::string program(const std::string& name) {
  return std::string(BOPS_UNCOUNTABLE) + "/" + name;
}

/// Threads print in the order in which they end.
Words sorted_lines(const std::string& text) {
  Words lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  std::sort(lines.begin(), lines.end());
  return lines;
}

harness::Counted expect_the_same(const Words& command, const std::string& quality) {
  const auto alone = harness::run(command);
  EXPECT_EQ(alone.output.find("FAILED"), std::string::npos) << alone.output;
  EXPECT_EQ(alone.signal, std::nullopt) << "it does not do here what it is for";
  auto counted = harness::count(command, {"--collector", "native"});
  EXPECT_EQ(sorted_lines(counted.ended.output), sorted_lines(alone.output));
  EXPECT_EQ(counted.ended.errors, alone.errors);
  EXPECT_EQ(counted.ended.code, alone.code);
  EXPECT_EQ(counted.ended.signal, alone.signal);
  EXPECT_FALSE(counted.record.is_null());
  if (counted.record.is_null()) return counted;
  EXPECT_EQ(counted.record.at("quality"), quality) << counted.record.at("warnings").dump(1);
  return counted;
}

/// The reasons of the processes that were not counted.
Words reasons(const nlohmann::json& record) {
  Words list;
  for (const auto& process : record.at("processes"))
    if (!process.at("counted").get<bool>()) list.push_back(process.at("reason"));
  return list;
}

void expect_counted_until_it_left(const Words& command, const std::string& reason) {
  const auto counted = expect_the_same(command, "partial");
  if (counted.record.is_null()) return;
  const auto& processes = counted.record.at("processes");
  ASSERT_EQ(processes.size(), 2U) << processes.dump(1);
  EXPECT_EQ(processes[0].at("pid"), processes[1].at("pid"));
  EXPECT_TRUE(processes[0].at("counted").get<bool>());
  EXPECT_GT(processes[0].at("instructions").get<std::uint64_t>(), 50'000U);
  EXPECT_TRUE(processes[1].at("instructions").is_null());
  ASSERT_EQ(reasons(counted.record).size(), 1U);
  EXPECT_NE(reasons(counted.record)[0].find(reason), std::string::npos)
      << reasons(counted.record)[0];
}

struct Way {
  const char* name;
  const char* reason;
};

/// Names stay readable in the list of tests.
void PrintTo(const Way& way, std::ostream* out) {
  *out << way.name;
}

class Leaving : public ::testing::TestWithParam<Way> {};
class LeavingWithThreads : public Leaving {};

TEST_P(Leaving, goes_on_as_alone_and_is_counted_until_then) {
  expect_counted_until_it_left({program("leaving"), GetParam().name}, GetParam().reason);
}

TEST_P(LeavingWithThreads, takes_all_along_with_their_signals_and_system_calls) {
  for (int i = 0; i < 3; ++i)
    expect_counted_until_it_left({program("leaving"), GetParam().name, "threads"},
                                 GetParam().reason);
}

constexpr Way kWays[] = {{"set_gs", "GS register"},
                         {"write_gs_base", "GS register"},
                         {"read_gs", "GS register"},
                         {"32_bits", "64-bit mode"},
                         {"interrupt_fork", "32-bit system calls"},
                         {"dispatch", "PR_SET_SYSCALL_USER_DISPATCH"},
                         {"executable_data", "READ_IMPLIES_EXEC"},
                         {"limit", "limits its memory"}};
constexpr Way kOfOneThread[] = {{"strict", "strict mode"}};
constexpr Way kLittleRoom = {"little_room", "room for the counters of another thread"};

std::string name_of(const ::testing::TestParamInfo<Way>& test) {
  return test.param.name;
}

INSTANTIATE_TEST_SUITE_P(NativeEngine, Leaving, ::testing::ValuesIn(kWays), name_of);
INSTANTIATE_TEST_SUITE_P(NativeEngineOfOneThread, Leaving, ::testing::ValuesIn(kOfOneThread),
                         name_of);
INSTANTIATE_TEST_SUITE_P(NativeEngine, LeavingWithThreads, ::testing::ValuesIn(kWays), name_of);

TEST(NativeEngine, leaves_a_program_that_starts_a_thread_for_whose_counters_there_is_no_room) {
  const auto counted = expect_the_same({program("leaving"), kLittleRoom.name}, "partial");
  // The child, which sets the limit, is counted.
  ASSERT_EQ(counted.record.at("processes").size(), 3U);
  ASSERT_EQ(reasons(counted.record).size(), 1U);
  EXPECT_NE(reasons(counted.record)[0].find(kLittleRoom.reason), std::string::npos);
}

TEST(NativeEngine, is_not_strictly_exact_where_a_program_left_it) {
  const auto ended = harness::run({harness::bops_program(), "run", "--collector", "native",
                                   "--strict", "--", program("leaving"), "set_gs"});
  EXPECT_EQ(ended.code, 125);
  EXPECT_NE(ended.output.find("gs: 77"), std::string::npos);
}

std::string text_of(long number) {
  return std::to_string(number);
}

TEST(NativeEngine, counts_on_under_a_seccomp_filter_that_allows_what_it_needs) {
  const auto counted = expect_the_same(
      {program("filtered"), text_of(SYS_getpgid), program("filtered"), text_of(SYS_getsid)},
      "exact");
  ASSERT_EQ(counted.record.at("processes").size(), 2U);
}

TEST(NativeEngine, leaves_a_program_whose_seccomp_filter_forbids_what_it_needs) {
  for (const auto& [number, name] : std::map<long, std::string>{{SYS_mremap, "mremap"},
                                                                {SYS_sysinfo, "sysinfo"},
                                                                {SYS_mincore, "mincore"},
                                                                {SYS_readlink, "readlink"}})
    expect_counted_until_it_left({program("filtered"), text_of(number)}, "forbids " + name);
  expect_counted_until_it_left({program("filtered"), "address"}, "addresses of its code");
}

TEST(NativeEngine, does_not_count_what_is_executed_under_a_filter_that_forbids_it_to_start) {
  const auto counted = expect_the_same(
      {program("filtered"), text_of(SYS_personality), "/bin/echo", "uncounted"}, "partial");
  ASSERT_EQ(reasons(counted.record).size(), 1U);
  EXPECT_NE(reasons(counted.record)[0].find("forbids personality"), std::string::npos);
}

TEST(NativeEngine, counts_the_parent_on_whose_vfork_child_left) {
  const auto counted = expect_the_same({program("vfork_leaves"), "/bin/echo", "child"}, "partial");
  EXPECT_EQ(reasons(counted.record).size(), 1U);
  const auto& parent = counted.record.at("processes")[0];
  EXPECT_GT(parent.at("instructions").get<std::uint64_t>(), 30'000'000U);
}

TEST(NativeEngine, names_the_limit_that_is_too_small_for_it_and_how_to_lift_it) {
  if (harness::kSanitized) GTEST_SKIP() << "a sanitizer needs more addresses than that";
  for (const auto& [option, what] :
       std::map<std::string, std::string>{{"v", "address space"}, {"d", "data"}}) {
    const auto ended = harness::run({"/bin/sh", "-c",
                                     "ulimit -" + option +
                                         " 2000000; exec \"$0\" run "
                                         "--collector native -- /bin/echo not run",
                                     harness::bops_program()});
    EXPECT_EQ(ended.code, 125);
    EXPECT_EQ(ended.output, "");
    EXPECT_NE(ended.errors.find("limit on " + what), std::string::npos) << ended.errors;
    EXPECT_NE(ended.errors.find("ulimit -" + option + " unlimited"), std::string::npos);
  }
}

TEST(NativeEngine, lists_descendants_that_it_cannot_count_and_counts_the_rest) {
  const harness::TemporaryDirectory directory;
  const std::string narrow = directory / "narrow";
  std::string elf = harness::read_file("/bin/true");
  elf[4] = 1;  // 32-bit
  std::ofstream(narrow, std::ios::binary) << elf;
  std::filesystem::permissions(narrow, std::filesystem::perms::owner_all);
  const auto counted =
      harness::count({"/bin/sh", "-c", "\"$0\" 2>/dev/null; /bin/echo counted", narrow},
                     {"--collector", "native"});
  EXPECT_EQ(counted.ended.output, "counted\n");
  const auto alone = harness::run({narrow});
  const bool is_executed = alone.code != 127 && alone.code != 126;
  if (!is_executed) GTEST_SKIP() << "this kernel executes no 32-bit programs";
  EXPECT_EQ(counted.record.at("quality"), "partial");
  ASSERT_EQ(reasons(counted.record).size(), 1U);
  EXPECT_EQ(reasons(counted.record)[0], "it is a 32-bit program");
}

TEST(NativeEngine, counts_calls_at_fixed_addresses_and_what_follows_them) {
  const std::string caller = std::string(BOPS_TRANSCRIPTS) + "/memory_vsyscall";
  if (harness::run({caller, "1000"}).output.find("good: 1") == std::string::npos)
    GTEST_SKIP() << "this kernel has no calls at fixed addresses";
  std::vector<std::uint64_t> counts;
  for (const char* times : {"1000", "2000", "3000"}) {
    const auto counted = harness::count({caller, times}, {"--collector", "native"});
    EXPECT_NE(counted.ended.output.find("good: 1"), std::string::npos);
    EXPECT_EQ(counted.record.at("quality"), "exact");
    for (const auto& process : counted.record.at("images"))
      if (process.at("path").get<std::string>().ends_with("/memory_vsyscall"))
        counts.push_back(process.at("bops_formula").get<std::uint64_t>());
  }
  ASSERT_EQ(counts.size(), 3U);
  EXPECT_EQ(counts[2] - counts[1], counts[1] - counts[0]);
  EXPECT_GE(counts[1] - counts[0], 5'000U);
}

TEST(NativeEngine, leaves_a_program_whose_code_does_not_fit_its_cache_with_its_counts) {
  const harness::TemporaryDirectory directory;
  const std::string profile = directory / "profile";
  ASSERT_TRUE(exact::create_block_profile(profile, "native", 0));
  const auto ended = harness::run({BOPS_NATIVE_ENGINE, "cache=200000:" + profile,
                                   program("much_code"), program("much_code"), "much_code"});
  EXPECT_EQ(ended.code, 36) << ended.errors;
  EXPECT_EQ(ended.output, "42\n");
  const auto mapping = FileMapping::open(profile, FileMapping::Access::kReadOnly);
  const auto read = exact::read_block_profile(mapping->bytes());
  ASSERT_TRUE(read);
  ASSERT_EQ(read->uncounted.size(), 1U);
  EXPECT_NE(read->uncounted[0].reason.find("cache"), std::string::npos);
  const RunCounts counts = exact::BlockCounter("native").count(*read);
  EXPECT_EQ(counts.quality, Quality::kPartial);
  EXPECT_GT(counts.totals().instructions.total, 500'000U);  // much_code fills its code by a loop
}

}  // namespace
}  // namespace bops
