#include "driver.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <sstream>
#include <thread>

#include "platform/files.hpp"

namespace bops {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kPatience = std::chrono::seconds(20);

[[noreturn]] void execute(const Words& command) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  ::execv(arguments[0], arguments.data());
  ::_exit(99);
}

std::string content_of(int fd) {
  return read_file_whole("/proc/self/fd/" + std::to_string(fd)).value_or("unreadable");
}

}  // namespace

std::string program(const std::string& name) {
  return std::string(BOPS_TEST_PROGRAMS_DIR) + "/" + name;
}

Words driven(const Words& command, const Words& options) {
  Words words{BOPS_LAUNCH_DRIVER};
  words.insert(words.end(), options.begin(), options.end());
  words.emplace_back("--");
  words.insert(words.end(), command.begin(), command.end());
  return words;
}

Finished run(const Words& command, const Setup& setup) {
  const UniqueFd out(::memfd_create("out", MFD_CLOEXEC));
  const UniqueFd err(::memfd_create("err", MFD_CLOEXEC));
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::dup2(out.get(), STDOUT_FILENO);
    ::dup2(err.get(), STDERR_FILENO);
    if (setup) setup();
    execute(command);
  }
  int status = -1;
  ::waitpid(pid, &status, 0);
  return {status, content_of(out.get()), content_of(err.get())};
}

Running::Running(const Words& command, const Setup& setup) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return;
  out_.reset(ends[0]);
  const UniqueFd theirs(ends[1]);
  pid_ = ::fork();
  if (pid_ == 0) {
    ::setpgid(0, 0);
    ::dup2(theirs.get(), STDOUT_FILENO);
    if (setup) setup();
    execute(command);
  }
  ::setpgid(pid_, pid_);  // whichever of the two comes first
}

Running::~Running() {
  if (pid_ <= 0) return;
  ::kill(-pid_, SIGKILL);
  if (!ended_) ::waitpid(pid_, nullptr, 0);
}

std::string Running::read_line(milliseconds patience) {
  for (;;) {
    const std::size_t newline = buffer_.find('\n');
    if (newline != std::string::npos) {
      std::string line = buffer_.substr(0, newline);
      buffer_.erase(0, newline + 1);
      return line;
    }
    pollfd readable{out_.get(), POLLIN, 0};
    if (::poll(&readable, 1, static_cast<int>(patience.count())) <= 0) return {};
    std::array<char, 512> block{};
    const ssize_t got = ::read(out_.get(), block.data(), block.size());
    if (got <= 0) return {};
    buffer_.append(block.data(), static_cast<std::size_t>(got));
  }
}

int Running::next_status() {
  int status = -1;
  const bool came =
      comes_true([&] { return ::waitpid(pid_, &status, WNOHANG | WUNTRACED) == pid_; });
  if (came && !WIFSTOPPED(status)) ended_ = true;
  return came ? status : -1;
}

bool comes_true(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(milliseconds(5));
  }
  return true;
}

pid_t number_in(const std::string& path) {
  std::string content;
  const bool complete = comes_true([&] {
    content = read_file_whole(path).value_or("");
    return content.ends_with('\n');
  });
  return complete ? std::stoi(content) : 0;
}

std::map<std::string, std::uint64_t> read_report(const std::string& path) {
  std::istringstream lines(read_file_whole(path).value_or(""));
  std::map<std::string, std::uint64_t> report;
  std::string name;
  for (std::uint64_t value = 0; lines >> name >> value;) report[name] = value;
  return report;
}

}  // namespace bops
