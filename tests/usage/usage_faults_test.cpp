// Kills at any moment, full disks, several ranks: no record is lost, none is there twice.
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <sstream>
#include <thread>

#include "tests/harness/sanitized.hpp"
#include "tests/harness/subprocess.hpp"
#include "tests/usage/postgresql_server.hpp"
#include "tests/usage/sample_usage.hpp"
#include "usage/checkpoint.hpp"
#include "usage/digest.hpp"
#include "usage/records_files.hpp"

namespace bops {
namespace {

using harness::bops_program;
using harness::run;
using harness::Subprocess;
using harness::target_program;
using harness::TemporaryDirectory;
using Words = std::vector<std::string>;

class UsageFaults : public ::testing::Test {
 protected:
  harness::Ended bops(Words words) const {
    words.insert(words.begin(), bops_program());
    return run(words, variables());
  }
  [[nodiscard]] std::map<std::string, std::string> variables() const {
    return {{"XDG_CONFIG_HOME", directory_ / "config"}, {"BOPS_STATE_DIR", directory_ / "state"}};
  }
  /// Starts bops and kills it at a moment of the first `within` milliseconds, in the same order in
  /// every run. False if it had ended before.
  bool kill_at_some_moment(Words words, unsigned within) {
    words.insert(words.begin(), bops_program());
    Subprocess running(words, variables());
    std::this_thread::sleep_for(std::chrono::microseconds(random_() % (within * 1000)));
    ::kill(running.pid(), SIGKILL);
    return running.wait().signal == SIGKILL;
  }
  /// Records of a ledger or directory, as bops lists them.
  std::vector<std::string> listed(const std::string& records) const {
    std::istringstream lines(bops({"usage", "list", records}).output);
    std::vector<std::string> all;
    for (std::string line; std::getline(lines, line);) all.push_back(line);
    return all;
  }
  void write_chain(const std::string& path, std::size_t count) const {
    std::ofstream file(path);
    std::string prev(kNoLine);
    for (UsageRecord& record : samples::usage_chain(count, "/bops/a/b/c")) {
      record.prev = prev;
      const std::string line = usage_line(record);
      prev = sha256_hex(line);
      file << line << '\n';
    }
  }
  TemporaryDirectory directory_;
  std::mt19937 random_{20261122};
};

TEST_F(UsageFaults, a_run_killed_at_any_moment_leaves_what_verifies_but_for_the_open_interval) {
  ASSERT_EQ(bops({"usage", "keygen"}).code, 0);
  const std::string runs = directory_ / "runs/";
  const Words run_with_usage{"run",
                             "--usage",
                             runs,
                             "--tenant",
                             "acme",
                             "--usage-interval",
                             "5ms",
                             "--checkpoints",
                             directory_ / "second",
                             "--format",
                             "json",
                             "-o",
                             "/dev/null",
                             "--",
                             target_program("busy_loop"),
                             "60000000"};
  ASSERT_EQ(bops(run_with_usage).code, 0);  // the others may be killed before they write anything
  int killed = 0;
  for (int i = 0; i < 70; ++i) killed += kill_at_some_moment(run_with_usage, 150) ? 1 : 0;
  EXPECT_GT(killed, 0);
  const auto verified =
      bops({"usage", "verify", runs, "--checkpoints", directory_ / "second", "--json"});
  EXPECT_EQ(verified.code, 0) << verified.output;
  std::uint64_t lines = 0;
  const auto sources = nlohmann::json::parse(verified.output).at("sources");
  for (const auto& source : sources) lines += source.at("lines").get<std::uint64_t>();
  ASSERT_EQ(bops({"usage", "import", runs, "--ledger", directory_ / "l.db"}).code, 0);
  EXPECT_EQ(listed(directory_ / "l.db").size(), lines) << "none lost, none twice";
}

TEST_F(UsageFaults, an_import_killed_at_any_moment_goes_on_and_has_each_record_once) {
  constexpr std::size_t kRecords = 3000;
  write_chain(directory_ / "r.jsonl", kRecords);
  const Words import{"usage", "import", directory_ / "r.jsonl", "--ledger", directory_ / "l.db"};
  for (int i = 0; i < 70; ++i) (void)kill_at_some_moment(import, i % 2 == 0 ? 30 : 300);
  ASSERT_EQ(bops(import).code, 0);
  const auto lines = listed(directory_ / "l.db");
  EXPECT_EQ(lines.size(), kRecords);
  EXPECT_EQ(std::set<std::string>(lines.begin(), lines.end()).size(), kRecords);
}

TEST_F(UsageFaults, a_push_killed_at_any_moment_goes_on_and_loses_nothing) {
  constexpr std::size_t kRecords = 3000;
  write_chain(directory_ / "r.jsonl", kRecords);
  ASSERT_EQ(
      bops({"usage", "import", directory_ / "r.jsonl", "--ledger", directory_ / "outbox.db"}).code,
      0);
  const Words push{"usage", "push", directory_ / "outbox.db", "--to", directory_ / "other.db"};
  for (int i = 0; i < 60; ++i) (void)kill_at_some_moment(push, i % 2 == 0 ? 30 : 300);
  const auto last = bops(push);
  ASSERT_EQ(last.code, 0) << last.errors;
  EXPECT_EQ(listed(directory_ / "other.db"), listed(directory_ / "outbox.db"));
}

TEST_F(UsageFaults, import_and_push_to_a_server_that_are_killed_have_each_record_once) {
  std::string why_not;
  const auto server = harness::PostgresqlServer::start(why_not);
  if (!server) GTEST_SKIP() << why_not;
  constexpr std::size_t kRecords = 1000;
  write_chain(directory_ / "r.jsonl", kRecords);
  const Words import{"usage", "import", directory_ / "r.jsonl", "--ledger", directory_ / "l.db"};
  ASSERT_EQ(bops(import).code, 0);
  const Words push{"usage", "push", directory_ / "l.db", "--to", server->url()};
  for (int i = 0; i < 12; ++i) (void)kill_at_some_moment(push, i % 2 == 0 ? 60 : 300);
  const auto last = bops(push);
  ASSERT_EQ(last.code, 0) << last.errors;
  EXPECT_EQ(listed(server->url()), listed(directory_ / "l.db"));
  // The same file into the same ledger: all of it is there.
  const Words into{"usage", "import", directory_ / "r.jsonl", "--ledger", server->url(), "--json"};
  for (int i = 0; i < 5; ++i) (void)kill_at_some_moment(into, i % 2 == 0 ? 60 : 300);
  ASSERT_EQ(bops(into).code, 0);
  EXPECT_EQ(listed(server->url()).size(), kRecords);
}

/// A command with a file system of so many KiB on `directory`, in a mount namespace of its own.
Words on_small_disk(const std::string& directory, int kib, const std::string& script) {
  return {"unshare", "-m", "sh", "-c",
          "mount -t tmpfs -o size=" + std::to_string(kib) + "k none " + directory +
              " || exit 99; " + script};
}

TEST_F(UsageFaults, a_full_disk_at_any_write_leaves_a_whole_chain_and_is_told) {
  const std::string disk = directory_ / "disk";
  std::filesystem::create_directory(disk);
  if (run(on_small_disk(disk, 8, "true")).code != 0)
    GTEST_SKIP() << "no file system can be mounted here (needs root and unshare)";
  ASSERT_EQ(bops({"usage", "keygen"}).code, 0);
  int told = 0;
  for (int kib = 4; kib <= 100; kib += 12)
    for (const char* target : {"usage.jsonl", "ledger.db"}) {
      const std::string records = disk + "/" + target;
      const std::string run_bops = bops_program() + " run --usage " + records +
                                   " --tenant acme --usage-interval 5ms --format json -o " +
                                   (directory_ / "report.json") + " -- " +
                                   target_program("busy_loop") + " 200000000; echo ended $?; ";
      const std::string grow = "mount -o remount,size=64m " + disk + "; ";
      const std::string verify = "test -s " + records + " && " + bops_program() +
                                 " usage verify --json " + records + "; echo verified $?";
      const auto ended = run(on_small_disk(disk, kib, run_bops + grow + verify), variables());
      const bool lost = ended.output.find("ended 125") != std::string::npos;
      told += lost ? 1 : 0;
      if (lost) {
        EXPECT_NE(ended.errors.find("bops: "), std::string::npos) << kib << " " << target;
      } else {
        EXPECT_NE(ended.output.find("ended 0"), std::string::npos) << kib << " " << target;
      }
      EXPECT_EQ(ended.output.find("\"right\": false"), std::string::npos)
          << kib << " KiB, " << target << ": " << ended.output << ended.errors;
    }
  EXPECT_GT(told, 0) << "no disk was too small";
}

TEST_F(UsageFaults, an_import_and_a_push_onto_a_full_disk_fail_and_go_on_when_there_is_room) {
  const std::string disk = directory_ / "disk";
  std::filesystem::create_directory(disk);
  if (run(on_small_disk(disk, 8, "true")).code != 0)
    GTEST_SKIP() << "no file system can be mounted here (needs root and unshare)";
  constexpr std::size_t kRecords = 1500;
  write_chain(directory_ / "r.jsonl", kRecords);
  ASSERT_EQ(
      bops({"usage", "import", directory_ / "r.jsonl", "--ledger", directory_ / "outbox.db"}).code,
      0);
  const std::string ledger = disk + "/l.db";
  const std::map<std::string, std::string> verbs{
      {"import", "import " + (directory_ / "r.jsonl") + " --ledger " + ledger},
      {"push", "push " + (directory_ / "outbox.db") + " --to " + ledger}};
  std::set<std::string> full;
  for (int kib = 4; kib <= 4096; kib *= 4)
    for (const auto& [verb, words] : verbs) {
      // The outbox of a push to a ledger that is lost with the disk must begin anew.
      std::filesystem::copy_file(directory_ / "outbox.db", directory_ / "fresh.db",
                                 std::filesystem::copy_options::overwrite_existing);
      std::string command = bops_program() + " usage " + words;
      if (verb == "push") command.replace(command.find("outbox.db"), 9, "fresh.db");
      const auto ended =
          run(on_small_disk(disk, kib,
                            command + "; echo first $?; mount -o remount,size=64m " + disk + "; " +
                                command + "; echo then $?; " + bops_program() + " usage list " +
                                ledger + " | sort | uniq | wc -l"),
              variables());
      const std::string where = std::to_string(kib) + " KiB, " + verb + ": ";
      if (ended.output.find("first 125") != std::string::npos) {
        full.insert(verb);
        EXPECT_NE(ended.errors.find("bops: cannot "), std::string::npos) << where << ended.errors;
      } else {
        EXPECT_NE(ended.output.find("first 0"), std::string::npos) << where << ended.output;
      }
      EXPECT_NE(ended.output.find("then 0"), std::string::npos) << where << ended.errors;
      EXPECT_NE(ended.output.find("\n" + std::to_string(kRecords) + "\n"), std::string::npos)
          << where << ended.output;
    }
  EXPECT_EQ(full.size(), 2U) << "no disk was too small";
}

TEST_F(UsageFaults, a_line_of_200_megabytes_is_told_and_takes_no_memory) {
  if (harness::kSanitized) GTEST_SKIP() << "a sanitizer reserves more memory than the test allows";
  write_chain(directory_ / "good.jsonl", 2);
  const std::string file = directory_ / "long.jsonl";
  { std::ofstream(file) << harness::read_file(directory_ / "good.jsonl"); }
  std::filesystem::resize_file(file, std::filesystem::file_size(file) + 200'000'000);
  { std::ofstream(file, std::ios::app) << '\n' << usage_line(samples::usage_record()) << '\n'; }
  const std::string limited = "ulimit -v 120000 && exec " + bops_program() + " usage ";
  const auto imported =
      run({"sh", "-c", limited + "import --json " + file + " --ledger " + (directory_ / "l.db")});
  ASSERT_EQ(imported.code, 0) << imported.errors;
  const auto summary = nlohmann::json::parse(imported.output);
  EXPECT_EQ(summary.at("added"), 3);
  EXPECT_EQ(summary.at("quarantined"), 1);
  EXPECT_NE(imported.errors.find("line 3: the line is longer than 65536 bytes"), std::string::npos)
      << imported.errors;
}

TEST_F(UsageFaults, ranks_of_a_job_write_for_themselves_and_sum_up) {
  if (run({"sh", "-c", "command -v mpirun"}).code != 0)
    GTEST_SKIP() << "Open MPI is not installed (apt-get install openmpi-bin)";
  const std::string ranks = directory_ / "ranks/";
  const std::string program = harness::known_asm_program("straight_line");
  Words words{"mpirun",
              "--allow-run-as-root",
              "--oversubscribe",
              "--mca",
              "plm",
              "isolated",
              "-n",
              "4",
              bops_program(),
              "run",
              "--usage",
              ranks,
              "--tenant",
              "acme",
              "--format",
              "json",
              "-o",
              "/dev/null",
              "--",
              program};
  const auto ended = run(words, variables());
  ASSERT_EQ(ended.code, 0) << ended.errors;
  const auto alone = harness::count({program});
  const auto instructions = alone.record.at("totals").at("instructions").get<std::uint64_t>();
  ASSERT_EQ(bops({"usage", "import", ranks, "--ledger", directory_ / "l.db"}).code, 0);
  EXPECT_EQ(bops({"usage", "verify", directory_ / "l.db"}).code, 0);
  std::set<std::string> sources, jobs, rank_names;
  std::istringstream exported(bops({"usage", "export", directory_ / "l.db"}).output);
  for (std::string line; std::getline(exported, line);) {
    const auto record = parse_usage_line(line);
    ASSERT_TRUE(record);
    sources.insert(record->key.source);
    jobs.insert(record->resource.at("job.id").get<std::string>());
    rank_names.insert(record->resource.at("mpi.rank").get<std::string>());
  }
  EXPECT_EQ(sources.size(), 4U);
  EXPECT_EQ(jobs.size(), 1U);
  EXPECT_EQ(rank_names, (std::set<std::string>{"0", "1", "2", "3"}));
  std::istringstream summary(
      bops({"usage", "summary", directory_ / "l.db", "--by", "job", "--json"}).output);
  bool found = false;
  for (std::string line; std::getline(summary, line);) {
    const auto row = nlohmann::json::parse(line);
    if (row.at("meter") != "instructions") continue;
    found = true;
    EXPECT_EQ(row.at("quantity"), std::to_string(4 * instructions));
    EXPECT_EQ(row.at("job"), *jobs.begin());
  }
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace bops
