#include "tests/oracle/single_stepper.hpp"

#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <map>

#include "tests/oracle/instruction_bytes.hpp"

namespace bops::oracle {
namespace {

// The instruction that a thread is about to execute.
struct Pending {
  std::uint64_t rip;
  InstructionBytes bytes;
};

struct Thread {
  std::optional<Pending> pending;
  bool attached = false;    // its first stop has been seen
  bool delivering = false;  // resumed with a signal, which comes before the pending instruction
};

// What the stop says about the instruction that was pending.
enum class Stop : std::uint8_t { kCompleted, kHandlerEntered, kSignal, kGroupStop };

Stop classify(pid_t tid, int signal) {
  siginfo_t info{};
  if (ptrace(PTRACE_GETSIGINFO, tid, nullptr, &info) != 0) return Stop::kGroupStop;
  if (signal != SIGTRAP) return Stop::kSignal;
  // TRAP_TRACE: the trace trap (arch/x86/kernel/traps.c). TRAP_BRKPT: the end of a system call
  // (user_single_step_report() in arch/x86/kernel/ptrace.c). SIGTRAP: the frame of a handler was
  // built, and nothing executed (signal_setup_done() in kernel/signal.c).
  if (info.si_code == TRAP_TRACE || info.si_code == TRAP_BRKPT) return Stop::kCompleted;
  if (info.si_code == SIGTRAP) return Stop::kHandlerEntered;
  return Stop::kSignal;
}

[[noreturn]] void become_target(const std::vector<std::string>& command, int error_fd) {
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0 && raise(SIGSTOP) == 0) {
    execvp(arguments[0], arguments.data());
  }
  const int error = errno;
  (void)!write(error_fd, &error, sizeof error);
  _exit(127);
}

class SingleStepper {
 public:
  SingleStepper(pid_t root, Follow follow, const OnStep& on_step)
      : root_(root), follow_(follow), on_step_(on_step) {}

  StepResult run() {
    int status = 0;
    for (pid_t tid = wait_for(root_, status); tid > 0; tid = wait_for(waited(), status)) {
      if (WIFSTOPPED(status)) {
        on_stop(tid, status);
      } else {
        on_end(tid, status);
      }
    }
    return result_;
  }

 private:
  static pid_t wait_for(pid_t which, int& status) {
    for (;;) {
      const pid_t tid = waitpid(which, &status, __WALL);
      if (tid > 0 || errno != EINTR) return tid;
    }
  }

  [[nodiscard]] pid_t waited() const { return follow_ == Follow::kEverything ? -1 : root_; }

  void on_stop(pid_t tid, int status) {
    Thread& thread = threads_[tid];
    if (!thread.attached) {
      on_first_stop(tid, thread);
    } else if (status >> 16 != 0) {
      on_event(tid, status >> 16);
    } else {
      on_signal_stop(tid, thread, WSTOPSIG(status));
    }
  }

  // Every thread starts with a SIGSTOP of ptrace's own, which is not delivered.
  void on_first_stop(pid_t tid, Thread& thread) {
    thread.attached = true;
    if (tid != root_ || result_.instructions != 0) {
      set_pending(tid, thread);
      resume(PTRACE_SINGLESTEP, tid, 0);
      return;
    }
    constexpr long kAlways = PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
    constexpr long kDescendants = PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK;
    const long options = follow_ == Follow::kEverything ? kAlways | kDescendants : kAlways;
    ptrace(PTRACE_SETOPTIONS, tid, nullptr, options);
    resume(PTRACE_CONT, tid, 0);
  }

  // Inside a system call: its end will be reported, and counts the pending instruction.
  void on_event(pid_t tid, int event) {
    if (event == PTRACE_EVENT_EXEC) {
      unsigned long former = 0;
      ptrace(PTRACE_GETEVENTMSG, tid, nullptr, &former);
      if (static_cast<pid_t>(former) != tid && former != 0) {
        threads_[tid].pending = threads_[static_cast<pid_t>(former)].pending;
        threads_.erase(static_cast<pid_t>(former));
      }
    }
    resume(PTRACE_SINGLESTEP, tid, 0);
  }

  void on_signal_stop(pid_t tid, Thread& thread, int signal) {
    const Stop stop = classify(tid, signal);
    switch (stop) {
      case Stop::kCompleted: complete(tid, thread); break;
      case Stop::kHandlerEntered: set_pending(tid, thread); break;
      case Stop::kSignal: deliver_after_trap(tid, thread, signal); break;
      case Stop::kGroupStop: break;
    }
    thread.delivering = stop == Stop::kSignal;
    resume(PTRACE_SINGLESTEP, tid, thread.delivering ? signal : 0);
  }

  // int3 has retired when its SIGTRAP arrives: the pointer stands behind it.
  void deliver_after_trap(pid_t tid, Thread& thread, int signal) {
    if (!thread.pending) {
      set_pending(tid, thread);
    } else if (signal == SIGTRAP && rip_of(tid) != thread.pending->rip) {
      complete(tid, thread);
    }
  }

  void complete(pid_t tid, Thread& thread) {
    const std::uint64_t rip = rip_of(tid);
    if (thread.pending) {
      // Still on a repeated string instruction: an iteration ended, not the instruction.
      const Pending& done = *thread.pending;
      if (done.rip == rip && is_repeated_string_instruction(done.bytes.view())) return;
      count(tid, done);
    }
    thread.pending = Pending{.rip = rip, .bytes = read_instruction_bytes(tid, rip)};
  }

  void count(pid_t tid, const Pending& done) {
    ++result_.instructions;
    if (on_step_) on_step_({.tid = tid, .rip = done.rip, .bytes = done.bytes.view()});
  }

  static void set_pending(pid_t tid, Thread& thread) {
    const std::uint64_t rip = rip_of(tid);
    thread.pending = Pending{.rip = rip, .bytes = read_instruction_bytes(tid, rip)};
  }

  static std::uint64_t rip_of(pid_t tid) {
    user_regs_struct registers{};
    ptrace(PTRACE_GETREGS, tid, nullptr, &registers);
    return registers.rip;
  }

  // A thread that was killed meanwhile reports its end to waitpid; nothing to do here.
  static void resume(__ptrace_request how, pid_t tid, int signal) {
    ptrace(how, tid, nullptr, static_cast<long>(signal));
  }

  // A system call that a thread does not return from (exit, or a wait in which it is killed) has
  // retired, and no stop says so.
  void on_end(pid_t tid, int status) {
    const Thread& thread = threads_[tid];
    if (thread.pending && !thread.delivering &&
        is_system_call_instruction(thread.pending->bytes.view())) {
      count(tid, *thread.pending);
    }
    threads_.erase(tid);
    if (tid != root_) return;
    if (WIFEXITED(status)) result_.exit_code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) result_.signal = WTERMSIG(status);
  }

  pid_t root_;
  Follow follow_;
  const OnStep& on_step_;
  std::map<pid_t, Thread> threads_;
  StepResult result_;
};

}  // namespace

Result<StepResult> single_step(const std::vector<std::string>& command, Follow follow,
                               const OnStep& on_step) {
  std::array<int, 2> error_pipe{};
  if (command.empty() || pipe2(error_pipe.data(), O_CLOEXEC) != 0) {
    return failure("cannot start the oracle's target");
  }
  const pid_t child = fork();
  if (child == 0) become_target(command, error_pipe[1]);
  close(error_pipe[1]);
  StepResult result;
  if (child > 0) result = SingleStepper(child, follow, on_step).run();
  int error = child < 0 ? errno : 0;
  if (child > 0 && read(error_pipe[0], &error, sizeof error) < 0) error = errno;
  close(error_pipe[0]);
  if (error != 0) return failure("cannot step " + command[0] + ": " + std::strerror(error));
  return result;
}

}  // namespace bops::oracle
