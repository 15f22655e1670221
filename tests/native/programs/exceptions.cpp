// Exceptions and unwinding through counted frames: deep, rethrown, across threads, out of handlers.
#include <cxxabi.h>
#include <execinfo.h>
#include <unwind.h>

#include <exception>
#include <functional>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <typeinfo>
#include <vector>

extern "C" {
#include "transcript.h"
}

namespace {

int destroyed = 0;

struct Guard {
  ~Guard() { ++destroyed; }
};

[[gnu::noinline]] int deep(int depth) {
  const Guard guard;
  if (depth == 0) throw std::runtime_error("from the depth");
  const int below = deep(depth - 1);
  __asm__ volatile("");
  return below + 1;
}

void thrown_deep() {
  for (int i = 0; i < 200; ++i) try {
      say("%d", deep(100));
    } catch (const std::runtime_error& error) {
      if (i == 199) say("%s, destroyed %d", error.what(), destroyed);
    }
}

void rethrown() {
  try {
    try {
      throw 5;
    } catch (int value) {
      say("caught %d", value);
      throw;
    }
  } catch (...) {
    say("again: %s", abi::__cxa_current_exception_type()->name());
  }
  try {
    try {
      throw std::out_of_range("inner");
    } catch (...) {
      std::throw_with_nested(std::logic_error("outer"));
    }
  } catch (const std::exception& outer) {
    try {
      std::rethrow_if_nested(outer);
    } catch (const std::exception& inner) {
      say("%s in %s", inner.what(), outer.what());
    }
  }
}

void across_threads() {
  std::vector<std::exception_ptr> caught(8);
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([i, &caught] {
      for (int j = 0; j < 50; ++j) try {
          throw std::to_string(i * 1000 + j);
        } catch (...) {
          caught[static_cast<std::size_t>(i)] = std::current_exception();
        }
    });
  for (std::thread& thread : threads) thread.join();
  std::string all;
  for (const std::exception_ptr& pointer : caught) try {
      std::rethrow_exception(pointer);
    } catch (const std::string& text) {
      all += " " + text;
    }
  say("threads:%s", all.c_str());
}

struct Fault : std::exception {
  [[nodiscard]] const char* what() const noexcept override { return "a fault, as an exception"; }
};

void throws_from_handler(int, siginfo_t*, void*) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGSEGV);
  sigprocmask(SIG_UNBLOCK, &set, nullptr);
  throw Fault();
}

[[gnu::noinline]] void faults() {
  const Guard guard;
  *static_cast<volatile int*>(nullptr) = 1;
}

void through_signal_frames() {
  handle(SIGSEGV, throws_from_handler, 0);
  destroyed = 0;
  for (int i = 0; i < 100; ++i) try {
      faults();
      say("no fault");
    } catch (const Fault& fault) {
      if (i == 99) say("%s, destroyed %d", fault.what(), destroyed);
    }
}

volatile int signal_frames = 0, frames_seen = 0;

_Unwind_Reason_Code one_frame(_Unwind_Context* context, void*) {
  int before = 0;
  (void)_Unwind_GetIPInfo(context, &before);
  signal_frames = signal_frames + before;
  frames_seen = frames_seen + 1;
  return _URC_NO_REASON;
}

void walks(int, siginfo_t*, void*) {
  _Unwind_Backtrace(one_frame, nullptr);
}

[[gnu::noinline]] int raise_deep(int depth) {
  if (depth == 0) {
    __asm__ volatile("ud2");
    return 0;
  }
  const int below = raise_deep(depth - 1);
  __asm__ volatile("");
  return below + 1;
}

void skips_ud2(int number, siginfo_t* info, void* context) {
  walks(number, info, context);
  static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP] += 2;
}

void backtraces() {
  handle(SIGILL, skips_ud2, 0);
  (void)raise_deep(0);
  const int shallow = frames_seen;
  frames_seen = 0;
  signal_frames = 0;
  (void)raise_deep(50);
  say("50 frames more: %d, a signal frame: %d", frames_seen - shallow, signal_frames);
  void* addresses[200];
  say("backtrace() finds main and more: %d", backtrace(addresses, 200) >= 3);
}

void not_caught() {
  const pid_t child = fork();
  if (child == 0) {
    std::set_terminate([] {
      say("terminate called");
      std::abort();
    });
    throw 1;
  }
  wait_and_say("not caught", child);
}

}  // namespace

int main() {
  thrown_deep();
  rethrown();
  across_threads();
  through_signal_frames();
  backtraces();
  not_caught();
  const std::function<int(int)> sum = [&sum](int n) { return n == 0 ? 0 : n + sum(n - 1); };
  say("std::function: %d", sum(100));
  try {
    std::vector<int> none;
    say("%d", none.at(3));
  } catch (const std::out_of_range&) {
    say("thrown by the library");
  }
  return 0;
}
