// bops run --repeat where not every run ends well.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "tests/harness/subprocess.hpp"

namespace bops {
namespace {

using harness::bops_program, harness::Subprocess, harness::TemporaryDirectory;
using Json = nlohmann::json;

std::string text_of(const Json& record, const std::string& code) {
  for (const Json& warning : record.at("warnings"))
    if (warning.at("code") == code) return warning.at("message");
  return {};
}

/// A script that writes a line to `runs` each time, and then does `then`.
std::vector<std::string> script(const TemporaryDirectory& directory, const std::string& then) {
  return {"/bin/sh", "-c", "cd '" + directory.path() + "'; echo >>runs; " + then};
}

std::size_t runs_in(const TemporaryDirectory& directory) {
  return harness::read_file(directory / "runs").size();
}

TEST(Repeat, ends_like_the_first_run_that_failed_and_says_how_many_did) {
  const TemporaryDirectory directory;
  const auto counted = harness::count(
      script(directory, "case $(wc -l <runs) in 2) exit 9;; 3) exit 8;; esac"), {"--repeat", "4"});
  EXPECT_EQ(runs_in(directory), 4U);
  EXPECT_EQ(counted.ended.code, 9);
  EXPECT_EQ(counted.record.at("exit").at("code"), 0) << "the record is that of the last run";
  EXPECT_EQ(counted.record.at("repeat").at("runs"), 4);
  const std::string text = text_of(counted.record, "runs_failed");
  EXPECT_NE(text.find("2 of 4"), std::string::npos) << text;
  EXPECT_NE(counted.ended.errors.find(text), std::string::npos) << counted.ended.errors;
}

TEST(Repeat, warns_of_nothing_where_all_is_well) {
  const auto counted = harness::count({"/bin/true"}, {"--repeat", "2"});
  EXPECT_EQ(counted.ended.code, 0);
  EXPECT_EQ(text_of(counted.record, "runs_failed"), "");
  EXPECT_EQ(text_of(counted.record, "repeat_cut_short"), "");
}

TEST(Repeat, stops_after_a_run_that_was_interrupted_though_its_target_ended_by_itself) {
  const TemporaryDirectory directory;
  std::vector<std::string> command{
      bops_program(), "run", "--repeat", "6", "-o", directory / "record.json", "--"};
  for (const std::string& word :
       script(directory,
              "[ $(wc -l <runs) = 3 ] || exit 0; trap 'exit 130' INT; : >waits; "
              "while :; do sleep 0.05; done"))
    command.push_back(word);
  Subprocess bops(command, {}, {}, [] { ::setpgid(0, 0); });
  for (int i = 0; i < 6000 && ::access((directory / "waits").c_str(), F_OK) != 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  ::kill(-bops.pid(), SIGINT);
  const auto ended = bops.wait();
  EXPECT_EQ(ended.code, 130) << ended.errors;
  EXPECT_EQ(runs_in(directory), 3U);
  const Json record = Json::parse(harness::read_file(directory / "record.json"));
  EXPECT_EQ(record.at("repeat").at("runs"), 2) << "without the one that was interrupted";
  const std::string text = text_of(record, "repeat_cut_short");
  EXPECT_NE(text.find("run 3 of 6"), std::string::npos) << text;
  EXPECT_NE(ended.errors.find(text), std::string::npos) << ended.errors;
}

}  // namespace
}  // namespace bops
