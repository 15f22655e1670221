/// A thread of the guest.
#ifndef BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_THREAD_HPP
#define BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_THREAD_HPP

#include <cstdint>

#include "collectors/exact/native/engine/engine.hpp"
#include "collectors/exact/native/engine/signal_frame.hpp"

namespace bops::native {

inline constexpr Word kThreadSize = 4 * kPageSize;
inline constexpr Word kEngineStackSize = Word{128} << 10;
inline constexpr Word kSignalStackSize = Word{128} << 10;

/// What the guest wants done with signals. Guarded by its own lock: on_signal may not wait for the
/// engine's.
struct SignalActions {
  Lock lock;
  KernelAction actions[kSignals + 1];
};

/// Created by its parent, in memory that is used again for later threads.
struct Thread {
  std::uint32_t state;  ///< not 0 while its stacks are in use
  Thread* next;         ///< of the free or the living ones
  Area* area;           ///< outside all regions; the others of the thread follow by Area::next
  std::int32_t tid;
  std::int32_t pid;
  std::int32_t parent;  ///< of its process
  SignalActions* actions;
  SignalActions own_actions;  ///< of a process in its parent's memory
  bool shares_memory;         ///< a process of its own, in its parent's memory
  bops_profile_process* process;
  bops_profile_thread* record;
  Word stack_top;           ///< of the engine's stack
  Word signal_stack;        ///< lowest address of the stack that signals arrive on
  Word regions;             ///< how many are open; see regions.cpp
  KernelStack guest_stack;  ///< what the guest told sigaltstack

  /// Synchronous signals (SIGSEGV, ...) that the guest has blocked. The kernel never has them
  /// blocked: the engine needs them.
  KernelMask blocked_synchronous;
  /// Synchronous signals that were sent while the guest had them blocked, or while the engine ran;
  /// `held_information` has the details.
  KernelMask held;
  KernelInformation held_information[32];

  /// A signal that arrived in the engine: to be sent again on the way out.
  bool has_deferred;
  int deferred_signal;
  KernelMask deferred_mask;  ///< what was blocked then
  KernelInformation deferred;

  /// Leaving the engine; see detach.hpp.
  std::uint32_t leaves;       ///< not 0: as soon as it can
  std::uint32_t has_stopped;  ///< not 0: it waits until it may go
  std::uint32_t may_go;
  bool leads;            ///< the others wait for it
  bool leads_all;        ///< and all of them did stop
  bool waits_for_child;  ///< in the kernel, for the child of a vfork
  /// One instruction of its own code is executed where it lies, to see what the CPU makes of it.
  bool steps;

  /// PARTIAL records, open addressing.
  struct Partial {
    std::uint32_t context, number, completed;
    bops_profile_partial* record;
  };
  Partial* partials;
  Word partial_capacity, partial_count;
};

static_assert(sizeof(Thread) <= kThreadSize);

/// The thread that runs.
inline Area* current_area() {
  Area* area = nullptr;
  __asm__ volatile("mov %%gs:%c1, %0" : "=r"(area) : "i"(GS_SELF));
  return area;
}

/// Of what is held, that which the guest does not block.
inline KernelMask due_signals(const Thread* thread) {
  return thread->held & ~thread->blocked_synchronous;
}

/// The PARTIAL record of the thread for a block; null if there is no room. Engine lock held.
bops_profile_partial* find_partial(Thread* thread, std::uint32_t context, std::uint32_t number,
                                   unsigned completed);

/// All threads of the process and of those in its memory, by Thread::next. Engine lock held.
Thread* living_threads();

/// The process's first thread; leaves GS pointing to its area.
Thread* start_first_thread();

/// What clone_guest returns if there is no memory for another thread's counters: nothing was done.
inline constexpr std::int64_t kNoRoom = INT64_MIN;

/// clone (56), fork (57), vfork (58), clone3 (435). `resume` is the cache address at which parent
/// and child go on. Returns what the parent's RAX shall be, or kNoRoom.
std::int64_t clone_guest(Area* area, std::int64_t number, Word resume);

/// exit (60) and exit_group (231).
[[noreturn]] void exit_thread(Area* area, Word status);
[[noreturn]] void exit_process(Area* area, Word status);

/// Before the process image is replaced, and if that failed after all.
void note_end_of_process(Area* area);
void note_process_goes_on(Area* area);

}  // namespace bops::native

#endif
