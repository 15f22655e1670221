/// Letting the guest go on without the engine, where it does what the engine cannot follow.
///
/// The threads of a process leave together: each stops between two of its instructions and waits;
/// then dispositions, masks and signal stacks are the kernel's as the guest knows them, GS is 0 as
/// the guest left it, and what the engine has mapped for itself is gone but for some pages. A child
/// in its parent's memory leaves alone, and its parent is counted on.
#ifndef BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_DETACH_HPP
#define BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_DETACH_HPP

#include "collectors/exact/native/engine/thread.hpp"

namespace bops::native {

/// Writes an UNCOUNTED record with the reason and stops the other threads. Returns `pc`, where the
/// guest's own code goes on: to resume there is to leave. Engine lock free.
Word detach(Area* area, Word pc, const char* reason);

/// The same in on_signal, which calls leave_engine next.
void claim_departure(Thread* thread, const char* reason);

/// Whether the thread has to leave as soon as it can.
inline bool must_leave(const Thread* thread) {
  return __atomic_load_n(&thread->leaves, __ATOMIC_ACQUIRE) != 0;
}

/// Whether a signal is what the others are stopped with.
bool is_request_to_leave(int signal, const KernelInformation& information);

/// From on_signal, for the thread that it interrupted: `context` becomes the guest's own, outside
/// the cache, with `mask` blocked, and is returned to once all threads have stopped.
[[noreturn]] void leave_engine(Area* area, UserContext& context, KernelMask mask);

}  // namespace bops::native

#endif
