#include "platform/quiet_thread.hpp"

#include <gtest/gtest.h>

#include <csignal>

namespace bops {
namespace {

sigset_t mask_of_this_thread() {
  sigset_t mask;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  return mask;
}

TEST(QuietThread, gets_no_signal_and_leaves_its_maker_the_ones_it_got) {
  sigset_t only_one, before;
  ::sigemptyset(&only_one);
  ::sigaddset(&only_one, SIGUSR1);
  ::pthread_sigmask(SIG_SETMASK, &only_one, &before);
  sigset_t inside;
  quiet_thread([&] { inside = mask_of_this_thread(); }).join();
  const sigset_t after = mask_of_this_thread();
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  for (const int signal : {SIGINT, SIGTERM, SIGCHLD, SIGCONT, SIGUSR1, SIGRTMAX}) {
    EXPECT_EQ(::sigismember(&inside, signal), 1) << signal;
    EXPECT_EQ(::sigismember(&after, signal), signal == SIGUSR1 ? 1 : 0) << signal;
  }
}

}  // namespace
}  // namespace bops
