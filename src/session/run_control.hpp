// What is told to a run while it goes on: the lines of --control, the end of --delay.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "launch/target_process.hpp"
#include "platform/unique_fd.hpp"

namespace bops {

/// What the lines of the FIFO mean. Any other line is passed over.
struct ControlActions {
  std::function<void()> start;
  std::function<void()> stop;
  std::function<void()> snapshot;
};

class RunControl {
 public:
  /// `fifo` may be empty; a FIFO that does not exist is made (mode 0600) and removed at the end. A
  /// `delay` of 0 is none; at its end `start` is called.
  [[nodiscard]] static Result<RunControl> open(const std::string& fifo,
                                               std::chrono::nanoseconds delay);
  RunControl(RunControl&& other) noexcept;
  RunControl& operator=(RunControl&&) = delete;
  ~RunControl();

  /// For TargetProcess::wait(); neither may be moved or end meanwhile.
  [[nodiscard]] std::vector<Watched> watched(const ControlActions& actions);

 private:
  RunControl() = default;
  void read_lines(const ControlActions& actions);

  UniqueFd timer_;
  UniqueFd fifo_;
  std::string made_;  ///< path of the FIFO, if it is to be removed
  std::string line_;
};

}  // namespace bops
