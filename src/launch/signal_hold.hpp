// All signals of the calling thread, held back and read one by one.
#pragma once

#include <sys/signalfd.h>

#include <csignal>
#include <optional>

#include "model/error.hpp"
#include "platform/unique_fd.hpp"

namespace bops {

/// While it lives, every signal that can be blocked is blocked in the thread that took it, and
/// comes out of next(). SIGCHLD has its default disposition meanwhile: were it ignored, as whoever
/// started bops may have left it, ended children would vanish without a status (wait(2), notes).
class SignalHold {
 public:
  [[nodiscard]] static Result<SignalHold> take();

  SignalHold(SignalHold&& other) noexcept = default;
  SignalHold& operator=(SignalHold&&) = delete;
  ~SignalHold();

  /// Readable whenever next() has something.
  [[nodiscard]] int fd() const { return fd_.get(); }
  /// The next pending signal, if any. Does not block.
  [[nodiscard]] std::optional<signalfd_siginfo> next() const;
  /// Puts back mask and disposition as they were before; async-signal-safe, for a forked child.
  void restore() const;

 private:
  SignalHold(const sigset_t& mask, const struct sigaction& on_child)
      : mask_(mask), on_child_(on_child) {}

  UniqueFd fd_;
  sigset_t mask_;
  struct sigaction on_child_;
};

}  // namespace bops
