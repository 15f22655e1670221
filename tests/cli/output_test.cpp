// Reports to what is no regular file, and what bops says of what it cannot write or read.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <fstream>
#include <sstream>
#include <thread>

#include "platform/unique_fd.hpp"
#include "tests/doubles/pmu/on_pmu_double.hpp"

namespace bops {
namespace {

using harness::bops_program, harness::run, harness::Subprocess, harness::TemporaryDirectory;
using Json = nlohmann::json;

bool comes_to_exist(const std::string& path) {
  for (int i = 0; i < 6000 && ::access(path.c_str(), F_OK) != 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return ::access(path.c_str(), F_OK) == 0;
}

std::string read_to_end(int fd) {
  std::string text;
  std::array<char, 4096> block{};
  for (ssize_t got = 0; (got = ::read(fd, block.data(), block.size())) > 0;)
    text.append(block.data(), static_cast<std::size_t>(got));
  return text;
}

class Fifo {
 public:
  Fifo() { EXPECT_EQ(::mkfifo(path().c_str(), 0600), 0); }
  [[nodiscard]] std::string path() const { return directory_ / "fifo"; }
  [[nodiscard]] std::string beside(const std::string& name) const { return directory_ / name; }
  /// Opens it for reading without waiting for a writer; reads of it wait.
  [[nodiscard]] UniqueFd reader() const {
    UniqueFd fd(::open(path().c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    ::fcntl(fd.get(), F_SETFL, 0);
    return fd;
  }

 private:
  TemporaryDirectory directory_;
};

TEST(ReportToFifo, comes_whole_to_a_reader_that_was_there_first) {
  const Fifo fifo;
  Subprocess cat({"/usr/bin/timeout", "120", "/bin/cat", fifo.path()});
  const auto ended = run({"/usr/bin/timeout", "120", bops_program(), "run", "-o", fifo.path(),
                          "--format", "json", "--", "/bin/true"});
  EXPECT_EQ(ended.code, 0) << ended.errors;
  EXPECT_EQ(Json::parse(cat.wait().output).at("schema"), "bops.run.v1");
}

TEST(ReportToFifo, waits_for_its_reader_before_the_target_runs) {
  const Fifo fifo;
  Subprocess bops({"/usr/bin/timeout", "120", bops_program(), "run", "-o", fifo.path(), "--format",
                   "json", "--", "/bin/true"});
  const UniqueFd reader(::open(fifo.path().c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(Json::parse(read_to_end(reader.get())).at("exit").at("code"), 0);
  EXPECT_EQ(bops.wait().code, 0);
}

TEST(ReportToFifo, can_be_given_up_while_it_waits_for_a_reader) {
  const Fifo fifo;
  Subprocess bops({bops_program(), "run", "-o", fifo.path(), "--format", "json", "--",
                   "/usr/bin/touch", fifo.beside("ran")});
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  ::kill(bops.pid(), SIGTERM);
  EXPECT_EQ(bops.wait().signal, SIGTERM);
  EXPECT_NE(::access(fifo.beside("ran").c_str(), F_OK), 0);
}

TEST(ReportToFifo, that_lost_its_reader_is_an_error_told_at_the_end) {
  const Fifo fifo;
  const TemporaryDirectory state;
  UniqueFd reader = fifo.reader();
  Subprocess bops(
      {"/usr/bin/timeout", "120", bops_program(), "run", "--interval", "5ms", "-o", fifo.path(),
       "--", "/bin/sh", "-c",
       "cd '" + fifo.beside("") + "'; : >started; while [ ! -e go ]; do sleep 0.01; done"},
      {{"BOPS_STATE_DIR", state.path()}});
  EXPECT_TRUE(comes_to_exist(fifo.beside("started")));
  reader.reset();
  std::ofstream(fifo.beside("go")) << "\n";
  const auto ended = bops.wait();
  EXPECT_EQ(ended.code, 125) << "no signal ends it";
  EXPECT_NE(ended.errors.find("Broken pipe"), std::string::npos) << ended.errors;
  EXPECT_NE(ended.errors.find("bops recover"), std::string::npos) << ended.errors;
}

TEST(ReportToSocket, is_written_to_an_inherited_descriptor) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
  const UniqueFd ours(ends[0]);
  UniqueFd theirs(ends[1]);
  ::fcntl(ours.get(), F_SETFD, FD_CLOEXEC);
  const auto ended = run({bops_program(), "run", "-o", "/dev/fd/" + std::to_string(theirs.get()),
                          "--format", "json", "--", "/bin/true"});
  EXPECT_EQ(ended.code, 0) << ended.errors;
  theirs.reset();
  EXPECT_EQ(Json::parse(read_to_end(ours.get())).at("schema"), "bops.run.v1");
}

class SlowReader : public OnPmuDouble {};

TEST_F(SlowReader, stalls_no_target_and_gets_every_interval) {
  if (IsSkipped()) return;
  const Fifo fifo;
  const UniqueFd reader = fifo.reader();
  constexpr int kSmallest = 4096;  // bytes: less than ten intervals
  ASSERT_GE(::fcntl(reader.get(), F_SETPIPE_SZ, kSmallest), kSmallest);
  // Each sleep is a child, whose start and end wait for bops.
  Subprocess bops({"/usr/bin/timeout", "120", bops_program(), "run", "--collector", "pmu",
                   "--interval", "5ms", "-o", fifo.path(), "--", "/bin/sh", "-c",
                   "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do sleep 0.01; "
                   "done; : >'" +
                       fifo.beside("done") + "'"},
                  variables_);
  EXPECT_TRUE(comes_to_exist(fifo.beside("done"))) << "though nothing was read";
  std::istringstream lines(read_to_end(reader.get()));
  std::uint64_t sum = 0;
  Json last;
  for (std::string line; std::getline(lines, line);) {
    last = Json::parse(line);
    if (last["schema"] == "bops.interval.v1")
      sum += last["totals"]["instructions"].get<std::uint64_t>();
  }
  EXPECT_EQ(bops.wait().code, 0);
  ASSERT_EQ(last["schema"], "bops.run.v1");
  EXPECT_EQ(last["totals"]["instructions"], sum);
}

TEST(FileSizeLimit, is_told_as_a_full_disk_is) {
  const TemporaryDirectory directory;
  const std::string record = directory / "whole.json";
  ASSERT_EQ(run({bops_program(), "run", "-o", record, "--", "/bin/true"}).code, 0);
  const auto limited = [&](const std::string& limit, const std::string& words) {
    // What the test reads is a file, too.
    const auto ended = run({"/bin/bash", "-c",
                            "(ulimit -f " + limit + "; exec " + bops_program() + " " + words +
                                ") 2>&1 | cat >&2; exit ${PIPESTATUS[0]}"},
                           {{"BOPS_STATE_DIR", directory / "state"}});
    EXPECT_EQ(ended.code, 125) << limit << " " << words;
    EXPECT_NE(ended.errors.find("ulimit -f"), std::string::npos) << limit << ended.errors;
    return ended.errors;
  };
  for (const char* limit : {"0", "1"}) {
    (void)limited(limit, "run -o '" + (directory / "record.json") + "' -- /bin/true");
    const std::string errors =
        limited(limit, "report -o '" + (directory / "again.json") + "' '" + record + "'");
    EXPECT_NE(errors.find("File too large"), std::string::npos) << errors;
  }
}

TEST(FileSizeLimit, has_the_same_signal_for_the_target_as_without_bops) {
  const std::vector<std::string> command{"/bin/grep", "SigIgn", "/proc/self/status"};
  for (const bool ignored : {false, true}) {
    const auto start = [ignored](const std::vector<std::string>& words) {
      Subprocess process(words, {}, {}, ignored ? +[] { ::signal(SIGXFSZ, SIG_IGN); } : nullptr);
      return process.wait().output;
    };
    std::vector<std::string> under_bops{bops_program(), "run", "--"};
    under_bops.insert(under_bops.end(), command.begin(), command.end());
    const std::string alone = start(command);
    EXPECT_NE(alone, "");
    EXPECT_EQ(start(under_bops), alone);
  }
}

TEST(FullStandardOutput, is_an_error_of_every_command_that_prints) {
  const TemporaryDirectory directory;
  const std::map<std::string, std::string> variables{{"BOPS_STATE_DIR", directory.path()}};
  ASSERT_EQ(run({bops_program(), "run", "-o", "/dev/full", "--format", "json", "--", "/bin/true"},
                variables)
                .code,
            125);
  ASSERT_NE(run({bops_program(), "recover"}, variables).output, "") << "that run was not kept";
  for (const char* words :
       {"doctor", "doctor --json", "recover", "--help", "run --help", "--version"}) {
    const auto ended =
        run({"/bin/sh", "-c", bops_program() + " " + words + " >/dev/full"}, variables);
    EXPECT_EQ(ended.code, 125) << words;
    EXPECT_NE(ended.errors.find("No space left on device"), std::string::npos)
        << words << ended.errors;
  }
}

TEST(EndlessFile, is_no_record) {
  const auto ended = run({bops_program(), "report", "/dev/zero"});
  EXPECT_EQ(ended.code, 125);
  EXPECT_NE(ended.errors.find("/dev/zero has more than"), std::string::npos) << ended.errors;
}

TEST(NumbersOfOptions, are_refused_in_words) {
  for (const char* word : {"abc", "0", "-1", "1.5"}) {
    const std::string text = std::string(word) + " is not a whole number above 0";
    for (const auto& ended : {run({bops_program(), "attach", std::string("--pid=") + word}),
                              run({bops_program(), "validate", std::string("--size=") + word})}) {
      EXPECT_EQ(ended.code, 125) << word;
      EXPECT_NE(ended.errors.find(text), std::string::npos) << ended.errors;
    }
  }
}

}  // namespace
}  // namespace bops
