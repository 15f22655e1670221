// Threads of bops beside its main one.
#pragma once

#include <csignal>
#include <thread>
#include <utility>

namespace bops {

/// A thread that gets none of the process's signals: its main thread waits for them, and one that
/// went elsewhere would be lost, or end the process. Throws as std::thread does.
template <class Work>
[[nodiscard]] std::thread quiet_thread(Work work) {
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread started;
  try {
    started = std::thread(std::move(work));
  } catch (...) {
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw;
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return started;
}

}  // namespace bops
