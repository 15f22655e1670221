// Runs launch_driver, or any program, as a user would: as a process of its own.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "platform/unique_fd.hpp"

namespace bops {

using Words = std::vector<std::string>;
/// Called in the new process before it executes its program.
using Setup = std::function<void()>;

/// The path of a program of tests/programs.
[[nodiscard]] std::string program(const std::string& name);
/// launch_driver OPTIONS -- COMMAND
[[nodiscard]] Words driven(const Words& command, const Words& options = {});

struct Finished {
  int status;  ///< of waitpid(2)
  std::string out;
  std::string err;
};

/// Runs a program in the process group of the test, to its end.
[[nodiscard]] Finished run(const Words& command, const Setup& setup = {});

/// A program that runs in a process group of its own, which the destructor kills.
class Running {
 public:
  explicit Running(const Words& command, const Setup& setup = {});
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running();

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// The next line of its stdout without its newline; empty if none comes within `patience`.
  [[nodiscard]] std::string read_line(
      std::chrono::milliseconds patience = std::chrono::seconds(20));
  /// The next status of waitpid(2): of a stop or the end; -1 if none comes within 20 seconds.
  [[nodiscard]] int next_status();

 private:
  pid_t pid_ = -1;
  UniqueFd out_;
  std::string buffer_;
  bool ended_ = false;
};

/// Asks again and again until it is true, for 20 seconds at most.
[[nodiscard]] bool comes_true(const std::function<bool()>& condition);

/// The number in a file that another process writes, once it is complete; 0 if that never happens.
[[nodiscard]] pid_t number_in(const std::string& path);

/// The file that `launch_driver --report` wrote.
[[nodiscard]] std::map<std::string, std::uint64_t> read_report(const std::string& path);

}  // namespace bops
