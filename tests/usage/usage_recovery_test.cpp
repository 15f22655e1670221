// bops recover of a run with --usage whose bops was killed: the records have what was counted,
// once.
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "tests/harness/subprocess.hpp"
#include "tests/usage/written_usage.hpp"

namespace bops {
namespace {

using harness::bops_program, harness::run, harness::Subprocess;
using written::records_of, written::sum;
using Json = nlohmann::json;
using Words = std::vector<std::string>;

class UsageRecovery : public ::testing::Test {
 protected:
  [[nodiscard]] harness::Ended bops(Words words) const {
    words.insert(words.begin(), bops_program());
    return run(words, variables());
  }
  [[nodiscard]] std::map<std::string, std::string> variables() const {
    return {{"XDG_CONFIG_HOME", directory_ / "config"}, {"BOPS_STATE_DIR", state_.path()}};
  }
  /// The one run there is to recover.
  [[nodiscard]] std::string name() const {
    for (const auto& entry : std::filesystem::directory_iterator(state_.path()))
      if (std::filesystem::exists(entry.path() / "usage.json")) return entry.path().filename();
    ADD_FAILURE() << "no run with usage records";
    return "none";
  }
  /// A run of a shell that computes until the file `go` is there, whose bops is killed when some
  /// records are written; the shell ends by itself.
  void kill_bops_and_let_the_target_end(const std::string& file) {
    const std::string go = directory_ / "go";
    Subprocess running({bops_program(), "run", "--collector", "native", "--usage", file, "--tenant",
                        "acme", "--usage-interval", "20ms", "-o", directory_ / "report.json", "--",
                        "/bin/sh", "-c", "i=0; while [ ! -e " + go + " ]; do i=$((i+1)); done"},
                       variables());
    written::wait_for_lines(file, 8);
    ::kill(running.pid(), SIGKILL);
    (void)running.wait();
    const auto pid = records_of(file).front().resource.at("process.pid").get<pid_t>();
    std::ofstream(go).close();
    written::wait_for_end(pid);
  }
  harness::TemporaryDirectory directory_, state_;
};

TEST_F(UsageRecovery, of_an_exact_engine_writes_all_that_the_records_lack) {
  if (bops({"run", "--collector", "native", "--format", "json", "-o", "/dev/null", "--",
            "/bin/true"})
          .code != 0)
    GTEST_SKIP() << "the native engine cannot run here";
  const std::string file = directory_ / "usage.jsonl";
  kill_bops_and_let_the_target_end(file);
  const auto before = records_of(file);
  const std::string run_name = name(), report = directory_ / "recovered.json";
  ASSERT_EQ(bops({"recover", run_name, "--keep", "-o", report}).code, 0);
  EXPECT_EQ(records_of(file).size(), before.size()) << "not with --keep";
  const auto recovered = bops({"recover", run_name, "-o", report});
  ASSERT_EQ(recovered.code, 0) << recovered.errors;
  EXPECT_NE(recovered.errors.find("usage records of the time from"), std::string::npos)
      << recovered.errors;
  const Json totals = Json::parse(harness::read_file(report)).at("totals");
  const auto after = records_of(file);
  EXPECT_EQ(sum(after, "instructions"), totals.at("instructions"));
  EXPECT_EQ(sum(after, "bops_formula"), totals.at("bops_formula"));
  EXPECT_EQ(sum(after, "bops_decoded"), totals.at("operations").at("total"));
  EXPECT_GT(sum(after, "instructions"), sum(before, "instructions"));
  for (std::size_t i = before.size(); i < after.size(); ++i) {
    EXPECT_TRUE(after[i].attrs.contains("bops.recovered"));
    EXPECT_EQ(after[i].rel_err_ppm.has_value(), after[i].meter != "cpu_time") << after[i].meter;
    EXPECT_GE(after[i].start, before.back().end);
  }
  const auto verified = bops({"usage", "verify", "--json", file});
  EXPECT_EQ(verified.code, 0) << verified.output;
  EXPECT_TRUE(Json::parse(verified.output).at("sources").at(0).at("closed").get<bool>());
  EXPECT_FALSE(std::filesystem::exists(state_ / run_name));
}

TEST_F(UsageRecovery, into_a_ledger_works_alike) {
  if (bops({"run", "--collector", "native", "--format", "json", "-o", "/dev/null", "--",
            "/bin/true"})
          .code != 0)
    GTEST_SKIP() << "the native engine cannot run here";
  const std::string ledger = directory_ / "usage.db", go = directory_ / "go";
  const auto instructions = [&] {
    std::uint64_t total = 0;
    std::istringstream lines(bops({"usage", "export", ledger}).output);
    for (std::string line; std::getline(lines, line);)
      if (const auto record = parse_usage_line(line); record && record->meter == "instructions")
        total += record->quantity;
    return total;
  };
  Subprocess running({bops_program(), "run", "--collector", "native", "--usage", ledger, "--tenant",
                      "acme", "--usage-interval", "20ms", "-o", directory_ / "report.json", "--",
                      "/bin/sh", "-c", "while [ ! -e " + go + " ]; do :; done"},
                     variables());
  while (!std::filesystem::exists(ledger) || instructions() == 0)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  ::kill(running.pid(), SIGKILL);
  (void)running.wait();
  const Json state = Json::parse(harness::read_file(state_ / (name() + "/usage.json")));
  std::ofstream(go).close();
  written::wait_for_end(state.at("pid").get<pid_t>());
  const std::string report = directory_ / "recovered.json";
  const auto recovered = bops({"recover", name(), "-o", report});
  ASSERT_EQ(recovered.code, 0) << recovered.errors;
  EXPECT_EQ(instructions(),
            Json::parse(harness::read_file(report)).at("totals").at("instructions"));
  EXPECT_EQ(bops({"usage", "verify", ledger}).code, 0);
}

TEST_F(UsageRecovery, of_records_that_were_touched_since_is_refused_and_keeps_the_counts) {
  if (bops({"run", "--collector", "native", "--format", "json", "-o", "/dev/null", "--",
            "/bin/true"})
          .code != 0)
    GTEST_SKIP() << "the native engine cannot run here";
  const std::string file = directory_ / "usage.jsonl";
  kill_bops_and_let_the_target_end(file);
  std::string text = harness::read_file(file);
  text[text.find("\"subject\":\"acme\"") + 11] = 'b';
  { std::ofstream(file, std::ios::trunc) << text; }
  const std::string run_name = name();
  const auto refused = bops({"recover", run_name, "-o", directory_ / "recovered.json"});
  EXPECT_EQ(refused.code, 125);
  EXPECT_NE(refused.errors.find("not the one that was chained"), std::string::npos)
      << refused.errors;
  EXPECT_EQ(harness::read_file(file), text);
  EXPECT_TRUE(std::filesystem::exists(state_ / run_name));
}

TEST_F(UsageRecovery, writes_what_a_full_disk_kept_out_once_there_is_room) {
  const std::string disk = directory_ / "disk";
  std::filesystem::create_directory(disk);
  const std::string mount = "mount -t tmpfs -o size=8k none " + disk + " || exit 99; ";
  if (run({"unshare", "-m", "sh", "-c", mount + "true"}).code != 0)
    GTEST_SKIP() << "no file system can be mounted here (needs root and unshare)";
  ASSERT_EQ(bops({"usage", "keygen"}).code, 0);
  const std::string file = disk + "/usage.jsonl", report = directory_ / "report.json";
  const std::string script = mount + bops_program() + " run --usage " + file +
                             " --tenant acme --work images=3 --usage-interval 5ms -o " + report +
                             " -- " + harness::target_program("busy_loop") +
                             " 300000000; echo ended $?; mount -o " + "remount,size=64m " + disk +
                             "; " + bops_program() + " recover $(ls " + state_.path() +
                             " | grep Z-) -o " + (directory_ / "recovered.json") +
                             "; echo recovered $?; " + bops_program() + " usage verify --json " +
                             file + "; echo verified $?; cp " + file + " " + directory_.path();
  const auto ended = run({"unshare", "-m", "sh", "-c", script}, variables());
  // The first checkpoint and the last records need more than there is.
  ASSERT_NE(ended.output.find("ended 125"), std::string::npos) << ended.output << ended.errors;
  EXPECT_NE(ended.output.find("recovered 0"), std::string::npos) << ended.output << ended.errors;
  EXPECT_NE(ended.output.find("verified 0"), std::string::npos) << ended.output << ended.errors;
  const auto records = records_of(directory_ / "usage.jsonl");
  const Json totals = Json::parse(harness::read_file(report)).at("totals");
  EXPECT_EQ(sum(records, "instructions"), totals.at("instructions"));
  EXPECT_EQ(sum(records, "images"), 3U) << "the run had ended";
  EXPECT_GT(sum(records, "cpu_time"), 0U);
}

}  // namespace
}  // namespace bops
