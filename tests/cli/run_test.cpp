// bops run as a user meets it: streams, exit status, records, options.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <set>

#include "tests/harness/subprocess.hpp"

namespace bops {
namespace {

using harness::bops_program;
using harness::count;
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

TEST(BopsRun, leaves_stdout_to_the_target_and_reports_on_stderr) {
  const auto ended = run({bops_program(), "run", "--", "/bin/echo", "hello"});
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(ended.output, "hello\n");
  EXPECT_NE(ended.errors.find("formula BOPs"), std::string::npos) << ended.errors;
}

TEST(BopsRun, puts_nothing_on_either_stream_when_the_report_goes_to_a_file) {
  const auto counted = count({"/bin/echo", "hello"}, {"--collector", "qemu"});
  EXPECT_EQ(counted.ended.output, "hello\n");
  EXPECT_EQ(counted.ended.errors, "");
}

TEST(BopsRun, exits_as_the_target) {
  EXPECT_EQ(count({target_program("exit_with"), "42"}).ended.code, 42);
  EXPECT_EQ(count({"/bin/sh", "-c", "exit 255"}).ended.code, 255);
}

TEST(BopsRun, dies_by_the_signal_that_killed_the_target) {
  for (const int signal : {SIGTERM, SIGKILL, SIGSEGV, SIGABRT}) {
    const auto counted = count({target_program("die_by"), std::to_string(signal)});
    EXPECT_EQ(counted.ended.signal, signal);
    ASSERT_FALSE(counted.record.is_null());
    EXPECT_EQ(counted.record.at("exit").at("signal"), signal);
    EXPECT_TRUE(counted.record.at("exit").at("code").is_null());
    EXPECT_GT(instructions(counted.record), 1000U);
  }
}

TEST(BopsRun, keeps_the_emulators_words_out_of_the_targets_stderr) {
  const auto counted = count({target_program("crash")});
  EXPECT_EQ(counted.ended.signal, SIGSEGV);
  EXPECT_EQ(counted.ended.errors.find("qemu:"), std::string::npos) << counted.ended.errors;
}

TEST(BopsRun, tells_not_found_from_not_executable) {
  const TemporaryDirectory directory;
  EXPECT_EQ(run({bops_program(), "run", "--", "/no/such/program"}).code, 127);
  EXPECT_EQ(run({bops_program(), "run", "--", "no-such-program-anywhere"}).code, 127);
  EXPECT_EQ(run({bops_program(), "run", "--", directory.path()}).code, 126);
  std::ofstream(directory / "plain") << "text\n";
  EXPECT_EQ(run({bops_program(), "run", "--", directory / "plain"}).code, 126);
  ::chmod((directory / "plain").c_str(), 0755);
  EXPECT_EQ(run({bops_program(), "run", "--", directory / "plain"}).code, 126)
      << "neither a program nor a script";
}

TEST(BopsRun, refuses_a_program_that_it_cannot_count_unless_told_otherwise) {
  const TemporaryDirectory directory;
  std::string elf = harness::read_file("/bin/true");
  elf[4] = 1;  // 32-bit
  std::ofstream(directory / "elf32", std::ios::binary) << elf;
  ::chmod((directory / "elf32").c_str(), 0755);
  const auto refused = run({bops_program(), "run", "--", directory / "elf32"});
  EXPECT_EQ(refused.code, 125);
  EXPECT_NE(refused.errors.find("32-bit"), std::string::npos);
  EXPECT_NE(refused.errors.find("--allow-uncounted"), std::string::npos);
}

TEST(BopsRun, passes_every_byte_of_200_arguments) {
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

TEST(BopsRun, runs_relative_paths_and_scripts) {
  const TemporaryDirectory directory;
  std::ofstream(directory / "script") << "#!/bin/sh -e\necho \"$0 $1\"; pwd; exit 9\n";
  ::chmod((directory / "script").c_str(), 0755);
  const auto ended =
      run({bops_program(), "run", "-o", "r.json", "--", "./script", "a b"}, {}, directory.path());
  EXPECT_EQ(ended.code, 9);
  EXPECT_NE(ended.output.find("script a b\n" + directory.path()), std::string::npos)
      << ended.output;
}

TEST(BopsRun, gives_the_target_the_environment_that_bops_had) {
  const auto counted = count({"/usr/bin/env"}, {}, {{"LD_BIND_NOW", "1"}, {"ODD", "a,b=c\xff"}});
  EXPECT_NE(counted.ended.output.find("LD_BIND_NOW=1\n"), std::string::npos);
  EXPECT_NE(counted.ended.output.find("ODD=a,b=c\xff\n"), std::string::npos);
}

TEST(BopsRun, counts_a_deterministic_program_the_same_twice) {
  const auto first = count({target_program("busy_loop"), "100000"});
  const auto second = count({target_program("busy_loop"), "100000"});
  EXPECT_EQ(instructions(first.record), instructions(second.record));
}

TEST(BopsRun, counts_twice_the_work_as_twice_the_count) {
  const auto at = [](int work) {
    return instructions(count({target_program("busy_loop"), std::to_string(work)}).record);
  };
  const std::uint64_t one = at(1'000'000);
  const std::uint64_t two = at(2'000'000);
  const std::uint64_t three = at(3'000'000);
  EXPECT_NEAR(static_cast<double>(two - one), 2e6, 100) << "two instructions an iteration";
  EXPECT_NEAR(static_cast<double>(three - two), static_cast<double>(two - one), 100);
}

class ThreadedRun : public ::testing::TestWithParam<const char*> {};

// Shared memory makes QEMU translate for several threads before there are any.
INSTANTIATE_TEST_SUITE_P(SharedMemory, ThreadedRun, ::testing::Values("0", "1"));

TEST_P(ThreadedRun, shows_four_threads_with_their_own_counts_that_sum_to_the_run) {
  const auto counted =
      count({target_program("threads"), "4", "100000", GetParam()}, {"--per-thread"});
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
    EXPECT_EQ(thread.at("via"), "qemu");
    EXPECT_GT(thread.at("end_ns"), thread.at("start_ns"));
    counts.insert(thread.at("instructions").get<std::uint64_t>());
  }
  EXPECT_EQ(counts.size(), 4U);
}

TEST(BopsRun, counts_children_that_fork_and_exec) {
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

TEST(BopsRun, attributes_what_ran_to_executables_and_libraries) {
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

/// A program that gains another user's rights, which no exact engine can count.
std::optional<std::string> setuid_program(const TemporaryDirectory& directory) {
  const std::string path = directory / "setuid";
  std::filesystem::copy_file("/bin/true", path);
  ::chmod(directory.path().c_str(), 0755);
  if (::chown(path.c_str(), 12345, static_cast<gid_t>(-1)) != 0) return std::nullopt;
  ::chmod(path.c_str(), 04755);
  return path;
}

TEST(BopsRun, lists_an_uncountable_child_and_calls_the_run_partial) {
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

TEST(BopsRun, runs_an_uncountable_command_only_if_allowed_and_counts_nothing) {
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

TEST(BopsRun, does_not_call_a_process_uncounted_whose_exec_failed) {
  const TemporaryDirectory directory;
  std::ofstream(directory / "foreign") << "neither a program nor a script\n";
  ::chmod((directory / "foreign").c_str(), 0755);
  // The execve that fails is let through; the shell that perl tries then is counted again.
  const auto counted = count({"/usr/bin/perl", "-e", "exec '" + directory / "foreign" + "'"});
  EXPECT_EQ(counted.ended.code, 127);
  EXPECT_EQ(counted.record.at("quality"), "exact") << counted.record.at("processes").dump(1);
  EXPECT_GE(counted.record.at("processes").size(), 2U);
}

TEST(BopsRun, survives_what_targets_do_to_themselves) {
  EXPECT_EQ(count({target_program("close_all_descriptors"), "1000"}).ended.code, 7);
  EXPECT_EQ(count({target_program("own_process_group")}).ended.code, 0);
  EXPECT_EQ(count({target_program("own_process_group"), "session"}).ended.code, 0);
  const TemporaryDirectory directory;
  EXPECT_EQ(count({target_program("change_directory"), directory.path()}).ended.code, 0);
  const auto limited = count({"/bin/sh", "-c", "ulimit -n 3; ulimit -f 0; ulimit -c 0; exit 6"});
  EXPECT_EQ(limited.ended.code, 6);
  EXPECT_EQ(limited.record.at("quality"), "exact");
}

// The emulator leaves such an access, and enters it once more alone.
TEST(BopsRun, counts_locked_accesses_across_cache_lines_once_in_threaded_programs) {
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

TEST(BopsRun, corrects_blocks_that_faults_left_midway) {
  const auto at = [](const char* program, int faults) {
    return instructions(count({target_program(program), std::to_string(faults)}).record);
  };
  for (const char* program : {"segv_recover", "fpe_recover"}) {
    const std::uint64_t ten = at(program, 10), twenty = at(program, 20), thirty = at(program, 30);
    EXPECT_EQ(thirty - twenty, twenty - ten) << program;
  }
}

TEST(BopsRun, writes_interval_lines_that_sum_to_the_record_behind_them) {
  const TemporaryDirectory directory;
  const std::string path = directory / "load.json";
  const auto ended = run({bops_program(), "run", "--interval", "50ms", "-o", path, "--",
                          target_program("busy_loop"), "60000000"});
  ASSERT_EQ(ended.code, 0) << ended.errors;
  std::istringstream lines(harness::read_file(path));
  std::uint64_t total = 0, last_end = 0, count = 0;
  nlohmann::json record;
  for (std::string line; std::getline(lines, line); ++count) {
    record = nlohmann::json::parse(line);
    if (record.at("schema") == "bops.run.v1") break;
    EXPECT_EQ(record.at("schema"), "bops.interval.v1");
    EXPECT_EQ(record.at("start_ns"), last_end);
    last_end = record.at("end_ns").get<std::uint64_t>();
    total += instructions(record);
  }
  EXPECT_GE(count, 2U);
  ASSERT_EQ(record.at("schema"), "bops.run.v1");
  EXPECT_EQ(total, instructions(record));
}

TEST(BopsRun, repeats_and_tells_mean_and_spread) {
  const auto counted = count({target_program("busy_loop"), "1000"}, {"--repeat", "3"});
  const auto& repeat = counted.record.at("repeat");
  EXPECT_EQ(repeat.at("runs"), 3);
  for (const auto& statistic : repeat.at("statistics"))
    if (statistic.at("name") == "instructions") {
      EXPECT_EQ(statistic.at("mean"), static_cast<double>(instructions(counted.record)));
      EXPECT_EQ(statistic.at("standard_deviation"), 0.0);
    }
}

TEST(BopsRun, keeps_labels_and_leaves_out_redacted_words) {
  const auto counted =
      count({"/bin/echo", "secret-word"}, {"--label", "build=O3", "--label", "empty=", "--redact"});
  EXPECT_EQ(counted.record.at("labels").at("build"), "O3");
  EXPECT_EQ(counted.record.at("labels").at("empty"), "");
  EXPECT_TRUE(counted.record.at("command").is_null());
  EXPECT_EQ(counted.record.dump().find("secret-word"), std::string::npos);
}

TEST(BopsRun, refuses_bad_options_with_125_before_the_target_runs) {
  const TemporaryDirectory directory;
  const std::string touched = directory / "touched";
  const auto refused = [&](Words options) {
    Words words = {bops_program(), "run"};
    words.insert(words.end(), options.begin(), options.end());
    for (const std::string& word : Words{"--", "/usr/bin/touch", touched}) words.push_back(word);
    const auto ended = run(words);
    EXPECT_EQ(ended.code, 125) << ended.errors;
    EXPECT_NE(ended.errors.find("bops: "), std::string::npos);
    EXPECT_NE(::access(touched.c_str(), F_OK), 0) << "the target ran";
  };
  refused({"--collector", "nonsense"});
  refused({"--interval", "soon"});
  refused({"--interval", "1s", "--repeat", "2"});
  refused({"--repeat", "0"});
  refused({"--label", "novalue"});
  refused({"--format", "yaml"});
  refused({"-o", "/no/such/directory/report.json"});
  refused({"-o", "report.unknown"});
  refused({"--require-pmu", "--collector", "qemu"});
  refused({"--no-such-option"});
}

TEST(BopsRun, needs_a_command) {
  EXPECT_EQ(run({bops_program(), "run"}).code, 125);
  EXPECT_EQ(run({bops_program(), "run", "--"}).code, 125);
}

TEST(BopsRun, writes_every_format_by_suffix_and_by_name) {
  const TemporaryDirectory directory;
  for (const char* suffix : {"txt", "json", "csv", "md", "html"}) {
    const std::string path = directory / (std::string("report.") + suffix);
    EXPECT_EQ(run({bops_program(), "run", "-o", path, "--", "/bin/true"}).code, 0);
    EXPECT_NE(harness::read_file(path).find("instructions"), std::string::npos) << suffix;
  }
  const auto ended = run({bops_program(), "run", "-o", "-", "--format", "json", "--", "/bin/true"});
  EXPECT_EQ(nlohmann::json::parse(ended.output).at("schema"), "bops.run.v1");
}

TEST(BopsRun, shows_a_stored_record_again) {
  const TemporaryDirectory directory;
  const std::string path = directory / "report.json";
  ASSERT_EQ(run({bops_program(), "run", "-o", path, "--", "/bin/true"}).code, 0);
  const auto again = run({bops_program(), "report", "--format", "json", path});
  EXPECT_EQ(again.output, harness::read_file(path));
  EXPECT_EQ(run({bops_program(), "report", "/etc/passwd"}).code, 125);
}

TEST(BopsRun, leaves_no_counts_behind) {
  const TemporaryDirectory directory;
  ASSERT_EQ(
      run({bops_program(), "run", "--", "/bin/true"}, {{"BOPS_STATE_DIR", directory.path()}}).code,
      0);
  EXPECT_EQ(run({"/bin/ls", "-A", directory.path()}).output, "");
}

TEST(BopsRun, counts_nothing_but_the_target_from_its_first_instruction) {
  const auto counted = count({known_asm_program("straight_line")});
  EXPECT_EQ(counted.record.at("images").size(), 1U);
  EXPECT_EQ(counted.record.at("threads").size(), 1U);
}

TEST(BopsDoctor, lists_collectors_with_remedies_and_as_json) {
  const auto text = run({bops_program(), "doctor"});
  EXPECT_EQ(text.code, 0);
  EXPECT_NE(text.output.find("qemu"), std::string::npos);
  const auto json = nlohmann::json::parse(run({bops_program(), "doctor", "--json"}).output);
  EXPECT_EQ(json.at("schema"), "bops.doctor.v1");
  const auto lost = run({bops_program(), "doctor"}, {{"PATH", "/nowhere"}});
  EXPECT_EQ(lost.code, 1);
  EXPECT_NE(lost.output.find("apt-get install qemu-user"), std::string::npos) << lost.output;
}

TEST(BopsHelp, is_there_for_every_command) {
  for (const char* command : {"run", "doctor", "recover", "report", "calibrate"}) {
    const auto ended = run({bops_program(), command, "--help"});
    EXPECT_EQ(ended.code, 0) << command;
    EXPECT_NE(ended.output.find("bops"), std::string::npos);
  }
  EXPECT_EQ(run({bops_program(), "--version"}).code, 0);
  EXPECT_EQ(run({bops_program()}).code, 125);
  EXPECT_EQ(run({bops_program(), "rnu"}).code, 125);
}

}  // namespace
}  // namespace bops
