#include "cli/validate_bench.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "platform/files.hpp"
#include "platform/programs.hpp"
#include "platform/unique_fd.hpp"
#include "report/escape.hpp"
#include "session/run_session.hpp"

namespace bops {
namespace {

using Json = nlohmann::json;
using validate::Job;
using validate::Outcome;

constexpr unsigned kMostWorkers = 16;
constexpr int kKilled = 128;  // as the shells add it to a signal

Outcome failed(Error error) {
  Outcome outcome;
  outcome.error = std::move(error);
  return outcome;
}

Outcome failed_call(const std::string& what) {
  return failed({what + ": " + std::strerror(errno), "", FailureKind::kRefused});
}

std::string read_to_end(int fd) {
  std::string text;
  std::array<char, 4096> buffer{};
  for (ssize_t bytes = 0;;) {
    bytes = ::read(fd, buffer.data(), buffer.size());
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(bytes));
  }
}

/// Runs it as it is and keeps its stdout.
Outcome read_output(const std::vector<std::string>& command) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return failed_call("cannot make a pipe");
  const UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);
  std::vector<char*> words;
  std::vector<std::string> copies = command;
  words.reserve(copies.size() + 1);
  for (std::string& word : copies) words.push_back(word.data());
  words.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, writing.get(), STDOUT_FILENO);
  pid_t pid = 0;
  const int error = ::posix_spawn(&pid, words[0], &actions, nullptr, words.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0)
    return failed({"cannot execute " + command[0] + ": " + std::strerror(error),
                   "build it (ninja bops-workload), or name its place: --workloads DIR",
                   FailureKind::kRefused});
  writing.reset();
  Outcome outcome;
  outcome.output = read_to_end(reading.get());
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  outcome.exit_code = WIFSIGNALED(status) ? kKilled + WTERMSIG(status) : WEXITSTATUS(status);
  return outcome;
}

Outcome count(const Job& job, Collectors collectors, const std::string& collector) {
  RunRequest request;
  request.command = job.command;
  for (char** variable = environ; *variable != nullptr; ++variable)
    request.environment.emplace_back(*variable);
  request.collector = collector;
  const auto run =
      run_session(request, collectors, {[](const std::string&) {}, [](const IntervalRecord&) {}});
  if (!run) return failed(run.error());
  const RunRecord& record = run->record;
  const int signal = record.exit.signal.value_or(0);
  if (std::set<int>{SIGINT, SIGTERM}.contains(signal))
    return failed({"interrupted", "", FailureKind::kRefused});
  if (record.counts.quality == Quality::kMissing || record.counts.quality == Quality::kPartial)
    return failed({shell_quoted(job.command) + " was not counted by " + collector,
                   "bops run --collector " + collector + " -- ... tells more",
                   FailureKind::kRefused});
  Outcome outcome;
  outcome.exit_code =
      record.exit.signal ? kKilled + *record.exit.signal : record.exit.code.value_or(0);
  outcome.counts = record.counts.totals();
  outcome.wall_ns = record.wall_ns;
  return outcome;
}

// The outcomes cross from worker to parent as lines of JSON.

Json to_line(std::size_t index, const Outcome& outcome) {
  if (outcome.error)
    return {{"index", index},
            {"error", {utf8_text(outcome.error->message), utf8_text(outcome.error->remedy)}}};
  const InstructionCounts& counts = outcome.counts.instructions;
  Json line = {{"index", index},
               {"exit", outcome.exit_code},
               {"output", utf8_text(outcome.output)},
               {"wall_ns", outcome.wall_ns},
               {"counts", {counts.total, counts.loads, counts.stores, counts.branches}}};
  if (const auto& operations = outcome.counts.operations)
    line["operations"] = {operations->integer, operations->floating_point, operations->address};
  return line;
}

Outcome from_line(const Json& line) {
  if (line.contains("error"))
    return failed({bytes_of_text(line.at("error").at(0).get<std::string>()),
                   bytes_of_text(line.at("error").at(1).get<std::string>()),
                   FailureKind::kRefused});
  using Numbers = std::vector<std::uint64_t>;
  Outcome outcome;
  outcome.exit_code = line.at("exit").get<int>();
  outcome.output = bytes_of_text(line.at("output").get<std::string>());
  outcome.wall_ns = line.at("wall_ns").get<std::uint64_t>();
  const auto counts = line.at("counts").get<Numbers>();
  outcome.counts.instructions = {counts.at(0), counts.at(1), counts.at(2), counts.at(3)};
  if (line.contains("operations")) {
    const auto operations = line.at("operations").get<Numbers>();
    outcome.counts.operations = Operations{operations.at(0), operations.at(1), operations.at(2)};
  }
  return outcome;
}

/// The next job to take, in memory that all workers share.
class Turnstile {
 public:
  Turnstile()
      : memory_(::mmap(nullptr, sizeof(std::atomic<std::size_t>), PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS, -1, 0)),
        next_(memory_ == MAP_FAILED ? nullptr : new (memory_) std::atomic<std::size_t>(0)) {}
  Turnstile(const Turnstile&) = delete;
  Turnstile& operator=(const Turnstile&) = delete;
  ~Turnstile() {
    if (next_ != nullptr) ::munmap(memory_, sizeof(std::atomic<std::size_t>));
  }
  [[nodiscard]] bool works() const { return next_ != nullptr; }
  [[nodiscard]] std::size_t next() { return next_->fetch_add(1); }

 private:
  static_assert(std::atomic<std::size_t>::is_always_lock_free, "shared between processes");
  void* memory_;
  std::atomic<std::size_t>* next_;
};

using DoJob = std::function<Outcome(const Job&)>;

[[noreturn]] void work(const std::vector<Job>& jobs, const DoJob& do_job, Turnstile& turnstile,
                       int fd) {
  for (std::size_t i = turnstile.next(); i < jobs.size(); i = turnstile.next())
    if (!write_all(fd, to_line(i, do_job(jobs[i])).dump() + '\n', "the pipe")) break;
  ::_exit(0);  // nothing of the parent's is flushed or removed
}

struct Worker {
  pid_t pid = -1;
  UniqueFd results;
  std::string unread;
};

/// Takes whole lines out of what the worker wrote.
void take_lines(Worker& worker, std::vector<Outcome>& outcomes) {
  for (std::size_t end = 0; (end = worker.unread.find('\n')) != std::string::npos;) {
    const Json line = Json::parse(worker.unread.substr(0, end));
    outcomes.at(line.at("index").get<std::size_t>()) = from_line(line);
    worker.unread.erase(0, end + 1);
  }
}

/// Reads until all workers have ended.
void gather(std::vector<Worker>& workers, std::vector<Outcome>& outcomes) {
  std::array<char, 65536> buffer{};
  for (;;) {
    std::vector<pollfd> waiting;
    waiting.reserve(workers.size());
    for (const Worker& worker : workers) waiting.push_back({worker.results.get(), POLLIN, 0});
    if (std::none_of(workers.begin(), workers.end(),
                     [](const Worker& worker) { return static_cast<bool>(worker.results); }))
      return;
    if (::poll(waiting.data(), waiting.size(), -1) < 0) continue;
    for (std::size_t i = 0; i < workers.size(); ++i) {
      if (!workers[i].results || waiting[i].revents == 0) continue;
      const ssize_t bytes = ::read(workers[i].results.get(), buffer.data(), buffer.size());
      if (bytes < 0 && errno == EINTR) continue;
      if (bytes > 0) {
        workers[i].unread.append(buffer.data(), static_cast<std::size_t>(bytes));
        take_lines(workers[i], outcomes);
        continue;
      }
      workers[i].results.reset();
      while (::waitpid(workers[i].pid, nullptr, 0) < 0 && errno == EINTR) {
      }
    }
  }
}

std::vector<Outcome> run_at_once(const std::vector<Job>& jobs, const DoJob& do_job) {
  std::vector<Outcome> outcomes(
      jobs.size(), failed({"a worker of bops validate died", "", FailureKind::kRefused}));
  Turnstile turnstile;
  if (!turnstile.works()) return outcomes;
  std::cout.flush();
  std::vector<Worker> workers;
  const unsigned wanted = std::clamp(std::thread::hardware_concurrency(), 1U, kMostWorkers);
  for (unsigned i = 0; i < wanted; ++i) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) break;
    UniqueFd reading(ends[0]);
    const UniqueFd writing(ends[1]);
    const pid_t pid = ::fork();
    if (pid < 0) break;
    if (pid == 0) work(jobs, do_job, turnstile, writing.get());
    workers.push_back({pid, std::move(reading), {}});
  }
  gather(workers, outcomes);
  return outcomes;
}

/// An engine inside the target sees every instruction; hardware counters are read from outside.
bool is_exact_engine(const CollectorInfo& info) {
  return info.integrity == "in_target" && info.unit == "retired_instructions";
}

std::string best_exact_engine(Collectors collectors) {
  for (const Collector* collector : in_order_of_preference(collectors))
    if (is_exact_engine(collector->info()) && collector->probe().usable)
      return collector->info().name;
  return {};
}

std::vector<std::string> built_programs(const std::string& directory) {
  constexpr std::string_view kPrefix = "bops-workload-";
  std::vector<std::string> builds;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with(kPrefix)) builds.push_back(name.substr(kPrefix.size()));
  }
  return builds;
}

}  // namespace

Result<validate::Bench> make_bench(Collectors collectors, const std::string& collector,
                                   const std::string& workloads) {
  const auto choice = choose_collector(collectors, collector, false);
  if (!choice) return tl::unexpected(choice.error());
  validate::Bench bench;
  bench.workloads = workloads;
  if (workloads.empty()) {
    // Installed they are among bops's own files; in the build tree they are beside bops.
    const auto installed = find_library_file("bops-workload");
    const auto here = installed ? Result<std::string>(installed->substr(0, installed->rfind('/')))
                                : executable_directory();
    if (!here) return tl::unexpected(here.error());
    bench.workloads = *here;
  }
  const CollectorInfo info = choice->collector->info();
  bench.collector = info.name;
  bench.counts_exactly = is_exact_engine(info);
  bench.emulates = info.slowdown_class == "emulated";
  if (!bench.counts_exactly) bench.exact_engine = best_exact_engine(collectors);
  bench.built = built_programs(bench.workloads + "/workloads");
  bench.run = [collectors, name = info.name, exact = bench.exact_engine](const auto& jobs) {
    return run_at_once(jobs, [&](const Job& job) {
      if (job.kind == Job::Kind::kRead) return read_output(job.command);
      return count(job, collectors, job.kind == Job::Kind::kCount ? name : exact);
    });
  };
  return bench;
}

}  // namespace bops
