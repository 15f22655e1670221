// bops run as a user meets it, under each exact engine: what must not depend on which one counts.
#include <gtest/gtest.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>

#include "tests/harness/subprocess.hpp"

namespace bops {
namespace {

using harness::bops_program;
using harness::known_asm_program;
using harness::run;
using harness::target_program;
using harness::TemporaryDirectory;
using Words = std::vector<std::string>;

std::uint64_t instructions(const nlohmann::json& record) {
  return record.at("totals").at("instructions").get<std::uint64_t>();
}

template <class Rows>
std::uint64_t sum(const Rows& rows, const std::string& field) {
  std::uint64_t total = 0;
  for (const auto& row : rows) total += row.at(field).template get<std::uint64_t>();
  return total;
}

/// What this process starts lies at the same addresses every time: string functions of the C
/// library take a step more or less by alignment.
class FixedAddresses {
 public:
  FixedAddresses() : before_(::personality(0xffffffff)) {
    ::personality(static_cast<unsigned long>(before_) | ADDR_NO_RANDOMIZE);
  }
  FixedAddresses(const FixedAddresses&) = delete;
  FixedAddresses& operator=(const FixedAddresses&) = delete;
  ~FixedAddresses() { ::personality(static_cast<unsigned long>(before_)); }

 private:
  int before_;
};

class EngineRun : public ::testing::TestWithParam<std::string> {
 protected:
  static harness::Counted count(const Words& command, Words options = {},
                                const std::map<std::string, std::string>& variables = {}) {
    options.insert(options.end(), {"--collector", GetParam()});
    return harness::count(command, options, variables);
  }
};

INSTANTIATE_TEST_SUITE_P(Engines, EngineRun, ::testing::ValuesIn(harness::exact_engines()),
                         [](const auto& test) { return test.param; });

/// A program that gains another user's rights, which no exact engine can count.
std::optional<std::string> setuid_program(const TemporaryDirectory& directory) {
  const std::string path = directory / "setuid";
  std::filesystem::copy_file("/bin/true", path);
  ::chmod(directory.path().c_str(), 0755);
  if (::chown(path.c_str(), 12345, static_cast<gid_t>(-1)) != 0) return std::nullopt;
  ::chmod(path.c_str(), 04755);
  return path;
}

TEST_P(EngineRun, puts_nothing_on_either_stream_when_the_report_goes_to_a_file) {
  const auto counted = count({"/bin/echo", "hello"});
  EXPECT_EQ(counted.ended.output, "hello\n");
  EXPECT_EQ(counted.ended.errors, "");
}

TEST_P(EngineRun, exits_as_the_target) {
  EXPECT_EQ(count({target_program("exit_with"), "42"}).ended.code, 42);
  EXPECT_EQ(count({"/bin/sh", "-c", "exit 255"}).ended.code, 255);
}

TEST_P(EngineRun, dies_by_the_signal_that_killed_the_target) {
  for (const int signal : {SIGTERM, SIGKILL, SIGSEGV, SIGABRT}) {
    const auto counted = count({target_program("die_by"), std::to_string(signal)});
    EXPECT_EQ(counted.ended.signal, signal);
    ASSERT_FALSE(counted.record.is_null());
    EXPECT_EQ(counted.record.at("exit").at("signal"), signal);
    EXPECT_TRUE(counted.record.at("exit").at("code").is_null());
    EXPECT_GT(instructions(counted.record), 1000U);
  }
}

TEST_P(EngineRun, keeps_its_own_words_out_of_the_targets_stderr) {
  const auto counted = count({target_program("crash")});
  EXPECT_EQ(counted.ended.signal, SIGSEGV);
  EXPECT_EQ(counted.ended.errors, "");
}

TEST_P(EngineRun, refuses_a_program_that_it_cannot_count_unless_told_otherwise) {
  const TemporaryDirectory directory;
  std::string elf = harness::read_file("/bin/true");
  elf[4] = 1;  // 32-bit
  std::ofstream(directory / "elf32", std::ios::binary) << elf;
  ::chmod((directory / "elf32").c_str(), 0755);
  const auto refused =
      run({bops_program(), "run", "--collector", GetParam(), "--", directory / "elf32"});
  EXPECT_EQ(refused.code, 125);
  EXPECT_NE(refused.errors.find("32-bit"), std::string::npos);
  EXPECT_NE(refused.errors.find("--allow-uncounted"), std::string::npos);
}

TEST_P(EngineRun, passes_every_byte_of_200_arguments) {
  Words command = {target_program("print_arguments")};
  std::string expected;
  for (int i = 0; i < 200; ++i) {
    std::string argument = "a" + std::to_string(i);
    for (int byte = 1; byte < 256; byte += 5 + i % 7) argument += static_cast<char>(byte);
    if (i % 17 == 0) argument.clear();
    if (i % 23 == 0) argument = "--";
    command.push_back(argument);
  }
  const auto counted = count(command);
  std::string output = counted.ended.output;
  EXPECT_EQ(std::count(output.begin(), output.end(), '\0'), 201);
  for (std::size_t i = 0; i < command.size(); ++i) expected += command[i] + '\0';
  EXPECT_EQ(output, expected);
}

TEST_P(EngineRun, runs_relative_paths_and_scripts) {
  const TemporaryDirectory directory;
  std::ofstream(directory / "script") << "#!/bin/sh -e\necho \"$0 $1\"; pwd; exit 9\n";
  ::chmod((directory / "script").c_str(), 0755);
  const auto ended = run(
      {bops_program(), "run", "--collector", GetParam(), "-o", "r.json", "--", "./script", "a b"},
      {}, directory.path());
  EXPECT_EQ(ended.code, 9);
  EXPECT_NE(ended.output.find("script a b\n" + directory.path()), std::string::npos)
      << ended.output;
}

TEST_P(EngineRun, gives_the_target_the_environment_that_bops_had) {
  const auto counted = count({"/usr/bin/env"}, {}, {{"LD_BIND_NOW", "1"}, {"ODD", "a,b=c\xff"}});
  EXPECT_NE(counted.ended.output.find("LD_BIND_NOW=1\n"), std::string::npos);
  EXPECT_NE(counted.ended.output.find("ODD=a,b=c\xff\n"), std::string::npos);
}

TEST_P(EngineRun, counts_a_deterministic_program_the_same_twice) {
  const FixedAddresses fixed;
  const auto first = count({target_program("busy_loop"), "100000"});
  const auto second = count({target_program("busy_loop"), "100000"});
  EXPECT_EQ(instructions(first.record), instructions(second.record));
}

TEST_P(EngineRun, counts_twice_the_work_as_twice_the_count) {
  const auto at = [](int work) {
    return instructions(count({target_program("busy_loop"), std::to_string(work)}).record);
  };
  const std::uint64_t one = at(1'000'000);
  const std::uint64_t two = at(2'000'000);
  const std::uint64_t three = at(3'000'000);
  EXPECT_NEAR(static_cast<double>(two - one), 2e6, 100) << "two instructions an iteration";
  EXPECT_NEAR(static_cast<double>(three - two), static_cast<double>(two - one), 100);
}

TEST_P(EngineRun, counts_children_that_fork_and_exec) {
  const auto counted = count({"/bin/sh", "-c", target_program("busy_loop") + " 1000000; true"});
  EXPECT_EQ(counted.record.at("quality"), "exact");
  EXPECT_GT(instructions(counted.record), 2'000'000U);
  bool found = false;
  for (const auto& process : counted.record.at("processes"))
    if (process.at("executable").get<std::string>().ends_with("/busy_loop")) {
      found = true;
      EXPECT_GT(process.at("instructions"), 2'000'000U);
      EXPECT_TRUE(process.at("counted").get<bool>());
    }
  EXPECT_TRUE(found) << counted.record.at("processes").dump(1);
}

TEST_P(EngineRun, attributes_what_ran_to_executables_and_libraries) {
  const auto counted = count({target_program("busy_loop"), "500000"});
  std::map<std::string, nlohmann::json> images;
  std::int64_t formula = 0;
  for (const auto& image : counted.record.at("images")) {
    images[image.at("path").get<std::string>()] = image;
    formula += image.at("bops_formula").get<std::int64_t>();
  }
  EXPECT_EQ(formula, counted.record.at("totals").at("bops_formula"));
  ASSERT_TRUE(images.contains(target_program("busy_loop")));
  EXPECT_GE(images[target_program("busy_loop")].at("instructions"), 1'000'000U);
}

TEST_P(EngineRun, lists_an_uncountable_child_and_calls_the_run_partial) {
  const TemporaryDirectory directory;
  const auto program = setuid_program(directory);
  if (!program) GTEST_SKIP() << "only root can make a setuid program of another user";
  const Words command = {"/bin/sh", "-c", *program + "; exit 4"};
  const auto counted = count(command);
  EXPECT_EQ(counted.ended.code, 4) << "it runs all the same";
  EXPECT_EQ(counted.record.at("quality"), "partial");
  std::size_t uncounted = 0;
  for (const auto& process : counted.record.at("processes")) {
    if (process.at("counted").get<bool>()) continue;
    ++uncounted;
    EXPECT_EQ(process.at("executable"), *program);
    EXPECT_NE(process.at("reason").get<std::string>().find("setuid"), std::string::npos);
    EXPECT_TRUE(process.at("instructions").is_null());
  }
  EXPECT_EQ(uncounted, 1U);
  EXPECT_EQ(count(command, {"--strict"}).ended.code, 125);
}

TEST_P(EngineRun, runs_an_uncountable_command_only_if_allowed_and_counts_nothing) {
  const TemporaryDirectory directory;
  const auto program = setuid_program(directory);
  if (!program) GTEST_SKIP() << "only root can make a setuid program of another user";
  EXPECT_EQ(count({*program}).ended.code, 125);
  const auto counted = count({*program}, {"--allow-uncounted"});
  EXPECT_EQ(counted.ended.code, 0);
  EXPECT_EQ(counted.record.at("quality"), "missing");
  EXPECT_TRUE(counted.record.at("totals").at("instructions").is_null());
  EXPECT_TRUE(counted.record.at("totals").at("bops_formula").is_null());
}

TEST_P(EngineRun, does_not_call_a_process_uncounted_whose_exec_failed) {
  const TemporaryDirectory directory;
  std::ofstream(directory / "foreign") << "neither a program nor a script\n";
  ::chmod((directory / "foreign").c_str(), 0755);
  // The execve that fails is let through; the shell that perl tries then is counted again.
  const auto counted = count({"/usr/bin/perl", "-e", "exec '" + directory / "foreign" + "'"});
  EXPECT_EQ(counted.ended.code, 127);
  EXPECT_EQ(counted.record.at("quality"), "exact") << counted.record.at("processes").dump(1);
  EXPECT_GE(counted.record.at("processes").size(), 2U);
}

TEST_P(EngineRun, survives_what_targets_do_to_themselves) {
  EXPECT_EQ(count({target_program("close_all_descriptors"), "1000"}).ended.code, 7);
  EXPECT_EQ(count({target_program("own_process_group")}).ended.code, 0);
  EXPECT_EQ(count({target_program("own_process_group"), "session"}).ended.code, 0);
  const TemporaryDirectory directory;
  EXPECT_EQ(count({target_program("change_directory"), directory.path()}).ended.code, 0);
  const auto limited = count({"/bin/sh", "-c", "ulimit -n 3; ulimit -f 0; ulimit -c 0; exit 6"});
  EXPECT_EQ(limited.ended.code, 6);
  EXPECT_EQ(limited.record.at("quality"), "exact");
}

// QEMU leaves such an access, and enters it once more alone.
TEST_P(EngineRun, counts_locked_accesses_across_cache_lines_once_in_threaded_programs) {
  const auto workers = [](int times) {
    const auto counted = count({target_program("locked_lines"), std::to_string(times)});
    EXPECT_EQ(counted.ended.code, 0);
    std::vector<std::uint64_t> counts;
    for (const auto& thread : counted.record.at("threads"))
      if (thread.at("tid") != thread.at("pid"))
        counts.push_back(thread.at("instructions").get<std::uint64_t>());
    return counts;
  };
  const auto once = workers(1000);
  const auto twice = workers(2000);
  ASSERT_EQ(once.size(), 2U);
  ASSERT_EQ(twice.size(), 2U);
  // What a thread does beside its loop differs by a few hundred instructions at most.
  for (std::size_t i = 0; i < 2; ++i)
    EXPECT_NEAR(static_cast<double>(twice[i] - once[i]), 3000, 400);
}

TEST_P(EngineRun, corrects_blocks_that_faults_left_midway) {
  const FixedAddresses fixed;
  const auto at = [](const char* program, int faults) {
    return instructions(count({target_program(program), std::to_string(faults)}).record);
  };
  for (const char* program : {"segv_recover", "fpe_recover"}) {
    const std::uint64_t ten = at(program, 10), twenty = at(program, 20), thirty = at(program, 30);
    EXPECT_EQ(thirty - twenty, twenty - ten) << program;
  }
}

TEST_P(EngineRun, counts_nothing_but_the_target_from_its_first_instruction) {
  const auto counted = count({known_asm_program("straight_line")});
  EXPECT_EQ(counted.record.at("images").size(), 1U);
  EXPECT_EQ(counted.record.at("threads").size(), 1U);
}

TEST_P(EngineRun, gives_rates_only_where_the_time_is_the_programs_own) {
  const auto record = count({target_program("busy_loop"), "20000000"}).record;
  const auto& rate = record.at("totals").at("bops_per_second");
  if (GetParam() == "qemu") {
    EXPECT_TRUE(rate.is_null());
    EXPECT_NE(record.at("warnings").dump().find("rates_not_measured"), std::string::npos);
  } else {
    const double seconds = record.at("wall_ns").get<double>() / 1e9;
    EXPECT_NEAR(rate.get<double>() * seconds, record.at("totals").at("bops_formula").get<double>(),
                1.0);
    EXPECT_EQ(record.at("warnings").dump().find("rates_not_measured"), std::string::npos);
  }
}

class ThreadedRun : public ::testing::TestWithParam<std::tuple<std::string, const char*>> {};

// Shared memory makes QEMU translate for several threads before there are any.
INSTANTIATE_TEST_SUITE_P(SharedMemory, ThreadedRun,
                         ::testing::Combine(::testing::ValuesIn(harness::exact_engines()),
                                            ::testing::Values("0", "1")),
                         [](const auto& test) {
                           return std::get<0>(test.param) + "_" + std::get<1>(test.param);
                         });

TEST_P(ThreadedRun, shows_four_threads_with_their_own_counts_that_sum_to_the_run) {
  const auto& [engine, shared] = GetParam();
  const auto counted = harness::count({target_program("threads"), "4", "100000", shared},
                                      {"--per-thread", "--collector", engine});
  const auto& threads = counted.record.at("threads");
  ASSERT_EQ(threads.size(), 5U);
  EXPECT_EQ(sum(threads, "instructions"), instructions(counted.record));
  EXPECT_EQ(sum(counted.record.at("processes"), "instructions"), instructions(counted.record));
  std::set<std::uint64_t> counts;
  for (const auto& thread : threads) {
    const auto name = thread.at("name").get<std::string>();
    if (!name.starts_with("worker-")) continue;
    const double work = 2e5 * std::stod(name.substr(7));
    EXPECT_NEAR(thread.at("instructions").get<double>(), work, 20000) << name;
    EXPECT_EQ(thread.at("via"), engine);
    EXPECT_GT(thread.at("end_ns"), thread.at("start_ns"));
    counts.insert(thread.at("instructions").get<std::uint64_t>());
  }
  EXPECT_EQ(counts.size(), 4U);
}

}  // namespace
}  // namespace bops
