// What wait4(2) and waitid(2) tell of children and followed threads. Room-internal.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

namespace bops {

/// A child, or a followed thread, that has stopped or ended. One that has ended is a zombie, whose
/// entries in /proc can be read, until it is reaped.
struct AwaitedChange {
  enum class Kind : unsigned char { kNoneYet, kNobodyLeft, kStopped, kEnded };
  Kind kind = Kind::kNoneYet;
  pid_t tid = 0;
  int stop_status = 0;  ///< kStopped: as of wait4(2)
};

/// The next one, without waiting for it. It is told again and again until it is taken: an end by
/// reap(), the stop of a followed thread by letting it go on (after an execve(2), and for
/// PTRACE_LISTEN, by forget_stop() first), another stop by forget_stop().
/// `of`: of this one only.
[[nodiscard]] AwaitedChange next_change(bool followed_too, pid_t of = 0);

void forget_stop(pid_t tid);

/// Takes the end of a zombie; its status as of wait4(2). `usage` may be null: it costs a little.
int reap(pid_t tid, rusage* usage);

}  // namespace bops
