#include "collectors/exact/native/engine/detach.hpp"

#include <asm/unistd.h>

#include "collectors/exact/native/engine/inserted_code.hpp"
#include "collectors/exact/native/engine/instruction.hpp"
#include "collectors/exact/native/engine/memory_map.hpp"
#include "collectors/exact/native/engine/signals.hpp"

extern "C" {
[[noreturn]] void return_through(bops::native::UserContext* context);
[[noreturn]] void continue_on_stack(void (*function)(bops::native::Thread*,
                                                     bops::native::UserContext*),
                                    bops::native::Thread* thread,
                                    bops::native::UserContext* context, bops::native::Word top);
}

namespace bops::native {
namespace {

constexpr std::int32_t kLeaveCode = -0x6270;  // no kernel and no library sends it
constexpr std::int64_t kInterrupted = -4;
constexpr Word kWaitPrivate = 128, kWakePrivate = 129, kAll = 0x7fffffff;
constexpr Word kSetGs = 0x1001;

/// Waits for a change of `word`, a few milliseconds at most.
void wait_for(const std::uint32_t* word_address, std::uint32_t value) {
  constexpr Word kStepNs = 2'000'000;
  const struct { Word seconds, nanoseconds; } step = {0, kStepNs};
  kernel_call(__NR_futex, word(word_address), kWaitPrivate, value, word(&step));
}

void ask_to_leave(const Thread* thread) {
  KernelInformation request{};
  request.signal = kSigIll;
  request.code = kLeaveCode;
  request.address = word(&engine);
  kernel_call(__NR_rt_tgsigqueueinfo, static_cast<Word>(thread->pid),
              static_cast<Word>(thread->tid), kSigIll, word(&request));
}

bool has_to_stop(const Thread* thread, const Thread* leader) {
  return thread != leader && thread->pid == leader->pid &&
         __atomic_load_n(&thread->has_stopped, __ATOMIC_ACQUIRE) == 0;
}

/// Waits until all other threads of the process have stopped. False if one did not, in vain or
/// because it waits for a child in its memory: then it leaves when it can.
bool stop_others(const Thread* leader) {
  constexpr int kPatience = 2000, kAskAgain = 20;  // steps
  let_calls_restart();
  bool is_waited_for = false;
  for (int step = 0; step < kPatience; ++step) {
    bool all = true;
    is_waited_for = false;
    {
      const Guard guard(engine.lock);
      for (Thread* thread = living_threads(); thread; thread = thread->next) {
        if (!has_to_stop(thread, leader)) continue;
        if (thread->waits_for_child) {
          is_waited_for = true;
          continue;
        }
        all = false;
        if (thread->tid != 0 && step % kAskAgain == 0) ask_to_leave(thread);
      }
    }
    if (all) return !is_waited_for;
    wait_for(&leader->may_go, 0);
  }
  return false;
}

/// Whether another process runs in this memory.
bool is_memory_shared(const Thread* own) {
  for (const Thread* thread = living_threads(); thread; thread = thread->next)
    if (thread->pid != own->pid) return true;
  return false;
}

void let_others_go(const Thread* leader) {
  const Guard guard(engine.lock);
  for (Thread* thread = living_threads(); thread; thread = thread->next) {
    if (thread == leader || thread->pid != leader->pid) continue;
    __atomic_store_n(&thread->may_go, 1, __ATOMIC_RELEASE);
    kernel_call(__NR_futex, word(&thread->may_go), kWakePrivate, kAll);
  }
}

void lead(const Thread* thread) {
  bool is_alone = false;
  {
    const Guard guard(engine.lock);
    release_guarded_code();
    is_alone = !is_memory_shared(thread);
  }
  hand_over_actions(thread);
  if (is_alone && thread->leads_all) give_up_tables();
  let_others_go(thread);
}

void follow(Thread* thread) {
  __atomic_store_n(&thread->has_stopped, 1, __ATOMIC_RELEASE);
  while (__atomic_load_n(&thread->may_go, __ATOMIC_ACQUIRE) == 0) wait_for(&thread->may_go, 0);
}

/// Brings an interrupted thread between two guest instructions.
void settle_for_good(Area* area, MachineContext& machine) {
  if (!cache.contains(machine.rip)) return;
  const Block* const block = cache.block_at(machine.rip);
  constexpr Word kSystemCallSize = 2;
  const bool is_behind_call =
      block && block->control == static_cast<std::uint8_t>(Control::kSystemCall) &&
      machine.rip == Word{block->last} + block->rewind_end + kSystemCallSize;
  Position position = settle(area, machine);
  {
    const Guard guard(engine.lock);
    leave_block(area, position);
  }
  if (is_behind_call && machine.rax == static_cast<Word>(kInterrupted)) {
    // Nobody but the engine interrupted it, and some calls the kernel does not make again by
    // itself.
    machine.rax = area->saved_rcx;
    position.pc -= kSystemCallSize;
  }
  machine.rip = position.pc;
}

/// On the engine's stack: who stands on a signal stack may not change to another, and newer kernels
/// look at the stack of rt_sigreturn, too.
[[noreturn]] void finish(Thread* thread, UserContext* context) {
  kernel_call(__NR_sigaltstack, word(&thread->guest_stack));
  kernel_call(__NR_arch_prctl, kSetGs, 0);
  return_through(context);
}

}  // namespace

void claim_departure(Thread* thread, const char* reason) {
  {
    const Guard guard(engine.lock);
    if (must_leave(thread)) return;  // another thread leads
    profile_writer_add_uncounted(&engine.writer, thread->pid, thread->parent, engine.paths.program,
                                 reason);
    for (Thread* other = living_threads(); other; other = other->next)
      if (other->pid == thread->pid) __atomic_store_n(&other->leaves, 1, __ATOMIC_RELEASE);
    thread->leads = true;
  }
  thread->leads_all = stop_others(thread);
}

Word detach(Area* area, Word pc, const char* reason) {
  block_signals(area);
  claim_departure(area->thread, reason);
  area->attention = 1;
  return pc;
}

bool is_request_to_leave(int signal, const KernelInformation& information) {
  return signal == kSigIll && information.code == kLeaveCode &&
         information.address == word(&engine);
}

void leave_engine(Area* area, UserContext& context, KernelMask mask) {
  Thread* const thread = area->thread;
  settle_for_good(area, context.machine);
  if (thread->leads)
    lead(thread);
  else
    follow(thread);
  // From here on the area may be gone.
  context.stack = thread->guest_stack;
  context.mask = mask | thread->blocked_synchronous;
  send_held(thread);
  continue_on_stack(&finish, thread, &context, thread->stack_top);
}

}  // namespace bops::native
