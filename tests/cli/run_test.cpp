// bops run as a user meets it: streams, exit status, records, options.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/harness/sanitized.hpp"
#include "tests/harness/subprocess.hpp"

namespace bops {
namespace {

using harness::bops_program;
using harness::count;
using harness::run;
using harness::target_program;
using harness::TemporaryDirectory;
using Words = std::vector<std::string>;

std::uint64_t instructions(const nlohmann::json& record) {
  return record.at("totals").at("instructions").get<std::uint64_t>();
}

TEST(BopsRun, leaves_stdout_to_the_target_and_reports_on_stderr) {
  const auto ended = run({bops_program(), "run", "--", "/bin/echo", "hello"});
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(ended.output, "hello\n");
  EXPECT_NE(ended.errors.find("formula BOPs"), std::string::npos) << ended.errors;
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

TEST(BopsRun, writes_interval_lines_that_sum_to_the_record_behind_them) {
  const TemporaryDirectory directory;
  const std::string path = directory / "load.json";
  const auto ended = run({bops_program(), "run", "--interval", "20ms", "-o", path, "--",
                          target_program("busy_loop"), "400000000"});
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
  // Without a C library: where memory lies changes nothing.
  const auto counted = count({harness::known_asm_program("straight_line")}, {"--repeat", "3"});
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
  refused({"--require-pmu", "--collector", "native"});
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
  const std::string left = run({"/bin/ls", "-A", directory.path()}).output;
  EXPECT_TRUE(left.empty() || left == "native-engine-works\n") << left;
}

TEST(BopsDoctor, lists_collectors_with_remedies_and_as_json) {
  const auto text = run({bops_program(), "doctor"});
  EXPECT_EQ(text.code, 0);
  EXPECT_LT(text.output.find("native"), text.output.find("qemu")) << "in the order of preference";
  const auto json = nlohmann::json::parse(run({bops_program(), "doctor", "--json"}).output);
  EXPECT_EQ(json.at("schema"), "bops.doctor.v1");
}

TEST(BopsDoctor, fails_where_nothing_can_run_and_says_what_to_do) {
  if (harness::kSanitized) GTEST_SKIP() << "a sanitizer needs more addresses than that";
  const auto lost = run(
      {"/bin/sh", "-c", "ulimit -v 4000000; PATH=/nowhere; exec " + bops_program() + " doctor"});
  EXPECT_EQ(lost.code, 1) << "nothing can run";
  EXPECT_NE(lost.output.find("apt-get install qemu-user"), std::string::npos) << lost.output;
  EXPECT_NE(lost.output.find("ulimit -v unlimited"), std::string::npos) << lost.output;
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
