/// Signals: all of them arrive at on_signal, on a stack of the engine's own; the guest gets a frame
/// on its own stack, as the kernel would have made it.
///
/// Invariants:
/// - A guest's handler starts, and its frame shows, a state between two guest instructions.
/// - What a signal interrupts is left for good: the block is counted as far as it went, and
///   sigreturn enters a block that begins where it went on.
/// - A signal that arrives while its thread is in the engine waits until the thread leaves it. All
///   others are blocked until then, so at most one waits in a thread.
/// - The kernel never has a synchronous signal blocked but for the last steps before rt_sigreturn.
#ifndef BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_SIGNALS_HPP
#define BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_SIGNALS_HPP

#include "collectors/exact/native/engine/thread.hpp"

namespace bops::native {

/// Takes the dispositions over from the kernel. Before the guest's first instruction.
void take_over_signals(Thread* thread);

/// Gives the current thread its signal stack.
void set_signal_stack(const Thread* thread);

std::int64_t guest_sigaction(const Area* area, Word signal, Word action, Word old_action,
                             Word size);
std::int64_t guest_sigprocmask(Area* area, Word how, Word set, Word old_set, Word size);
std::int64_t guest_sigaltstack(Area* area, Word stack, Word old_stack);
[[noreturn]] void guest_sigreturn(Area* area);

/// Blocks every signal of this thread; they are let in again, with the mask that the guest wants,
/// when the thread resumes.
void block_signals(Area* area);

/// Sends a signal that waits again, to be delivered when the thread resumes.
void send_deferred(Area* area);

/// Before the guest goes on without the engine. Dispositions as the guest knows them:
void hand_over_actions(const Thread* thread);
/// What was sent while the guest had it blocked, and the kernel had not: blocks all signals.
void send_held(Thread* thread);
/// System calls that the engine's own request interrupts are made again where the kernel can.
void let_calls_restart();

/// What resume_guest leaves to C++: see GS_ATTENTION. Returns where to resume.
extern "C" Word attend(Area* area);

/// Before an exec: what the guest ignores stays ignored. Blocks all signals; returns the mask that
/// the new program shall have.
KernelMask pass_signals_on(Area* area);
/// After an exec that failed.
void take_signals_back(Area* area);

}  // namespace bops::native

#endif
