// What bops does with the signals it gets, and with a target that stops.
#pragma once

#include <sys/signalfd.h>
#include <sys/types.h>

namespace bops {

/// Whether the target has to be sent this signal, which bops got. True for what a process sent to
/// bops alone (si_code <= 0, sigaction(2)), and for SIGALRM of the interval timer that whoever
/// started bops left running: execve(2) keeps it, fork(2) does not. False for what the kernel sent
/// (the terminal sends to the whole process group, so the target has it already) and for what bops
/// caused itself, as SIGPIPE and SIGCHLD.
[[nodiscard]] bool is_for_target(const signalfd_siginfo& info);

/// Sends the signal on, with its value if it came from sigqueue(3). `target` must not have been
/// reaped: until then its id cannot stand for another process.
void forward(const signalfd_siginfo& info, pid_t target);

/// Stops bops, as its target `target` has stopped, so that the shell sees a stopped job; returns
/// when both go on. Whoever continues bops continues the target, and the other way round: a helper
/// process watches the target meanwhile, as a stopped bops cannot. `followed`: bops traces the
/// target, which then goes on only once bops does.
void stop_with(pid_t target, bool followed);

}  // namespace bops
