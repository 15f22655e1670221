#include "collectors/exact/native/engine/signals.hpp"

#include "collectors/exact/native/engine/counters.hpp"
#include "collectors/exact/native/engine/detach.hpp"
#include "collectors/exact/native/engine/inserted_code.hpp"
#include "collectors/exact/native/engine/memory_map.hpp"

extern "C" {
void signal_entry();
void signal_return();
[[noreturn]] void return_through(bops::native::UserContext* context);
[[noreturn]] void go_through_signal();
extern char resume_begin[], resume_end[], unmask_begin[], unmask_end[];
extern char copy_begin[], copy_end[], copy_failed[];
// NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming): the linker's names
extern char __executable_start[], _end[];
/// Called by resume_guest when the area has asked for attention.
bops::native::Word attend(bops::native::Area* area) {
  using namespace bops::native;
  area->attention = 0;
  send_deferred(area);
  const Thread* const thread = area->thread;
  if (!must_leave(thread) && !thread->steps && due_signals(thread) == 0) return area->resume;
  block_signals(area);
  go_through_signal();
}

void on_signal(int signal, bops::native::KernelInformation* information,
               bops::native::UserContext* context);
}

namespace bops::native {
namespace {

constexpr int kSigactionCall = 13, kSigprocmaskCall = 14, kSigaltstackCall = 131,
              kSendInformation = 297;
constexpr Word kMaskSize = 8;
constexpr Word kBlock = 0, kUnblock = 1, kSetMask = 2;
constexpr std::int64_t kInvalid = -22, kFault = -14, kNoMemory = -12, kNotPermitted = -1;
constexpr Word kDefault = 0, kIgnore = 1;
constexpr KernelMask kNeverBlocked = mask_of(kSigKill) | mask_of(kSigStop);
/// While on_signal runs: its copies of the guest's memory may fault.
constexpr KernelMask kBlockedInHandler = ~(mask_of(kSigSegv) | mask_of(kSigBus));
constexpr Word kRedZone = 128;
constexpr Word kTraceFlag = 0x100;
constexpr Word kWriteError = 2;   // of a page fault
constexpr Word kMinStack = 2048;  // MINSIGSTKSZ of the kernel

bool is_synchronous(int signal) {
  return signal >= 1 && signal <= kSignals && (kSynchronousSignals & mask_of(signal)) != 0;
}

std::int64_t set_kernel_action(int signal, const KernelAction& action) {
  return kernel_call(kSigactionCall, static_cast<Word>(signal), word(&action), 0, kMaskSize);
}

KernelMask set_kernel_mask(KernelMask mask) {
  KernelMask old = 0;
  kernel_call(kSigprocmaskCall, kSetMask, word(&mask), word(&old), kMaskSize);
  return old;
}

/// What the kernel is told for an action of the guest.
KernelAction kernel_action_for(int signal, const KernelAction& action) {
  if (action.handler <= kIgnore && !is_synchronous(signal)) return action;
  KernelAction kernel{};
  kernel.handler = reinterpret_cast<Word>(&signal_entry);
  kernel.flags = (action.flags & (kNoChildStop | kNoChildWait | kRestart)) | kWithInformation |
                 kWithRestorer | kOnStack | kNoDefer;
  kernel.restorer = reinterpret_cast<Word>(&signal_return);
  kernel.mask = ~KernelMask{0};
  return kernel;
}

KernelAction action_of(const Thread* thread, int signal) {
  const Guard guard(thread->actions->lock);
  return thread->actions->actions[signal];
}

void send_again(const Thread* thread, int signal, const KernelInformation& information) {
  kernel_call(kSendInformation, static_cast<Word>(thread->pid), static_cast<Word>(thread->tid),
              static_cast<Word>(signal), word(&information));
}

/// The guest's mask as it knows it. `kernel`: what the kernel has blocked while guest code runs.
KernelMask guest_mask(const Thread* thread, KernelMask kernel) {
  return kernel | thread->blocked_synchronous;
}

/// Splits what the guest wants blocked; returns the kernel's part. What was held may be due now.
KernelMask set_guest_mask(Thread* thread, KernelMask mask) {
  mask &= ~kNeverBlocked;
  thread->blocked_synchronous = mask & kSynchronousSignals;
  return mask & ~kSynchronousSignals;
}

bool is_on(const KernelStack& stack, Word rsp) {
  return (stack.flags & kStackDisabled) == 0 && rsp > stack.base && rsp - stack.base <= stack.size;
}

/// As sigaltstack shows it.
KernelStack visible_stack(const Thread* thread, Word rsp) {
  KernelStack stack = thread->guest_stack;
  if (stack.size == 0) stack.flags |= kStackDisabled;
  if (is_on(stack, rsp) && (stack.flags & kAutoDisarm) == 0) stack.flags |= kOnThisStack;
  return stack;
}

/// Vector state that the kernel saved: its size, from the words that it leaves for this purpose
/// (struct _fpx_sw_bytes).
Word vector_state_size(Word address) {
  constexpr Word kWordsAt = 464, kLegacySize = 512;
  constexpr std::uint32_t kMagic = 0x46505853;
  const auto* const words = reinterpret_cast<const std::uint32_t*>(address + kWordsAt);
  return words[0] == kMagic ? words[1] : kLegacySize;
}

/// Writes the frame for a handler. Its address, or 0 if there is no room for it.
Word push_frame(Thread* thread, const KernelAction& action, const KernelInformation& information,
                const UserContext& context) {
  const MachineContext& machine = context.machine;
  const KernelStack& stack = thread->guest_stack;
  Word top = machine.rsp - kRedZone;
  const bool was_on_stack = is_on(stack, machine.rsp);
  const bool moves = (action.flags & kOnStack) != 0 && stack.size != 0 &&
                     (stack.flags & kStackDisabled) == 0 &&
                     (!was_on_stack || (stack.flags & kAutoDisarm) != 0);
  if (moves) top = stack.base + stack.size;

  SignalFrame frame{action.restorer, context, information};
  frame.context.link = 0;
  frame.context.stack = visible_stack(thread, machine.rsp);
  frame.context.mask = guest_mask(thread, context.mask);
  if (machine.floating_point != 0) {
    const Word size = vector_state_size(machine.floating_point);
    top = (top - size) / 64 * 64;
    frame.context.machine.floating_point = top;
    if (!copy_guest(reinterpret_cast<void*>(top),
                    reinterpret_cast<const void*>(machine.floating_point), size))
      return 0;
  }
  const Word at = (top - sizeof frame) / 16 * 16 - 8;
  if ((moves || was_on_stack) && (stack.flags & kStackDisabled) == 0 && !is_on(stack, at)) return 0;
  return write_guest(at, frame) ? at : 0;
}

/// The signal takes its default action once on_signal has returned.
void take_default(const Thread* thread, int signal, const KernelInformation& information,
                  UserContext& context) {
  set_kernel_action(signal, KernelAction{});
  context.mask &= ~mask_of(signal);
  send_again(thread, signal, information);
}

void start_handler(Area* area, int signal, const KernelAction& action,
                   const KernelInformation& information, UserContext& context) {
  Thread* const thread = area->thread;
  MachineContext& machine = context.machine;
  const Word frame = push_frame(thread, action, information, context);
  if (frame == 0) {
    // As the kernel does when it cannot push a frame.
    KernelInformation fault{};
    fault.signal = kSigSegv;
    fault.code = 0x80;
    take_default(thread, kSigSegv, fault, context);
    return;
  }
  if ((thread->guest_stack.flags & kAutoDisarm) != 0)
    thread->guest_stack = KernelStack{0, kStackDisabled, 0, 0};
  if ((action.flags & kResetHandler) != 0) {
    const Guard guard(thread->actions->lock);
    thread->actions->actions[signal].handler = kDefault;
    if (!is_synchronous(signal)) set_kernel_action(signal, KernelAction{});
  }
  KernelMask mask = guest_mask(thread, context.mask) | action.mask;
  if ((action.flags & kNoDefer) == 0) mask |= mask_of(signal);
  context.mask = set_guest_mask(thread, mask);
  machine.rdi = static_cast<Word>(signal);
  machine.rsi = frame + offsetof(SignalFrame, information);
  machine.rdx = frame + offsetof(SignalFrame, context);
  machine.rax = 0;
  machine.rsp = frame;
  constexpr Word kDirection = 0x400, kResume = 0x10000;
  machine.flags &= ~(kDirection | kTraceFlag | kResume);
  machine.floating_point = 0;  // handlers start with vector registers in their initial state
  const Guard guard(engine.lock);
  machine.rip = cache.enter(action.handler);
}

enum class Place : std::uint8_t { kCache, kLeaving, kEngine, kGuest };

Place place_of(Word rip) {
  if (cache.contains(rip)) return Place::kCache;
  if (rip >= reinterpret_cast<Word>(resume_begin) && rip < reinterpret_cast<Word>(resume_end))
    return Place::kLeaving;
  if (rip >= reinterpret_cast<Word>(__executable_start) && rip < reinterpret_cast<Word>(_end))
    return Place::kEngine;
  return Place::kGuest;
}

bool is_in_guest(Word rip) {
  const Place place = place_of(rip);
  return place == Place::kCache || place == Place::kGuest;
}

/// On the way out the area has no mask to set any more, and the kernel does not have it yet.
bool is_unmasking(Word rip) {
  return rip >= reinterpret_cast<Word>(unmask_begin) && rip < reinterpret_cast<Word>(unmask_end);
}

/// The registers of a thread that has left the engine all but for the last few instructions.
void take_registers(const Area* area, MachineContext& machine) {
  for (unsigned i = 0; i < kFlags; ++i) register_of(machine, i) = area->registers[i];
  machine.flags = area->registers[kFlags];
  machine.rip = area->resume;
}

/// A write to code that was translated: the translations are forgotten, and the write is done
/// again. If the writer's own block may be among them, what follows the write is translated afresh.
bool continue_behind_write(Area* area, Word address, MachineContext& machine) {
  const Guard guard(engine.lock);
  if (!release_written_code(address)) return false;
  const Block* const block = cache.block_at(machine.rip);
  if (!block || !block->forgotten) return true;
  const Position position = settle(area, machine);
  leave_block(area, position);
  machine.rip = cache.enter_one(position.pc);
  return true;
}

/// What an instruction raises and the guest never sees. True: done.
bool handle_own_fault(Area* area, int signal, const KernelInformation& information,
                      UserContext& context) {
  MachineContext& machine = context.machine;
  const Word rip = machine.rip;
  if (rip >= reinterpret_cast<Word>(copy_begin) && rip < reinterpret_cast<Word>(copy_end)) {
    machine.rip = reinterpret_cast<Word>(copy_failed);
    return true;
  }
  if (signal == kSigBus && is_counter_address(information.address)) {
    replace_lost_page(information.address);
    return true;
  }
  if (signal == kSigSegv && (machine.error & kWriteError) != 0 && cache.contains(rip))
    return continue_behind_write(area, information.address, machine);
  if (signal == kSigTrap && cache.contains(rip)) {
    const Block* const block = cache.block_at(rip - 1);
    if (block && block->forgotten && block->start == rip - 1) {
      const Guard guard(engine.lock);
      machine.rip = cache.enter(block->pc);
      return true;
    }
  }
  return false;
}

/// Keeps a synchronous signal that was sent, of which one waits at most, as in the kernel.
void hold(Thread* thread, int signal, const KernelInformation& information) {
  if ((thread->held & mask_of(signal)) != 0) return;
  thread->held |= mask_of(signal);
  thread->held_information[signal] = information;
}

/// Until the thread is in the guest's code again.
void defer(Area* area, int signal, const KernelInformation& information, UserContext& context) {
  Thread* const thread = area->thread;
  area->attention = 1;
  // These are never blocked while the engine runs, whose own faults they are: sent again they would
  // come at once.
  if (is_synchronous(signal)) {
    hold(thread, signal, information);
    return;
  }
  thread->deferred_signal = signal;
  thread->deferred = information;
  thread->deferred_mask = context.mask;
  thread->has_deferred = true;
  context.mask = ~kSynchronousSignals;
}

void deliver(Area* area, int signal, const KernelInformation& information, UserContext& context) {
  Thread* const thread = area->thread;
  const bool is_raised = is_synchronous(signal) && information.code > 0;
  const Place place = place_of(context.machine.rip);
  if (is_raised && place == Place::kEngine) give_up("the engine faulted");
  if (place == Place::kEngine || (place == Place::kLeaving && area->unmask != 0)) {
    defer(area, signal, information, context);
    // It may have looked for what asks for attention already.
    if (place == Place::kLeaving) context.machine.rip = reinterpret_cast<Word>(resume_begin);
    return;
  }
  const bool is_blocked = (thread->blocked_synchronous & mask_of(signal)) != 0;
  if (is_blocked && !is_raised) {
    hold(thread, signal, information);
    return;
  }
  const KernelAction action = action_of(thread, signal);
  if (action.handler == kIgnore && !is_raised) return;

  MachineContext& machine = context.machine;
  const bool tells_where = is_raised && information.address == machine.rip;  // settle moves RIP
  if (place == Place::kLeaving) take_registers(area, machine);
  Position position{machine.rip, nullptr, 0, 0, false};
  if (place != Place::kGuest && cache.contains(machine.rip)) position = settle(area, machine);
  {
    const Guard guard(engine.lock);
    leave_block(area, position);
  }
  KernelInformation seen = information;
  if (tells_where) seen.address = position.pc;
  machine.rip = position.pc;
  if (action.handler <= kIgnore || is_blocked)
    take_default(thread, signal, seen, context);
  else
    start_handler(area, signal, action, seen, context);
}

/// Lets handlers start for what was held and is blocked no more, each on top of the one before, as
/// the kernel does. `context` stands in the guest's code. False if there was nothing.
bool deliver_held(Area* area, UserContext& context) {
  Thread* const thread = area->thread;
  bool any = false;
  for (int signal = 1; signal < 32; ++signal) {
    if ((due_signals(thread) & mask_of(signal)) == 0) continue;
    thread->held &= ~mask_of(signal);
    const KernelInformation information = thread->held_information[signal];
    deliver(area, signal, information, context);
    any = true;
  }
  return any;
}

/// The same, until none is left that the thread would take along to the guest: from here on every
/// signal waits for the context to be returned to.
bool deliver_held_at_last(Area* area, UserContext& context) {
  bool any = false;
  for (;;) {
    any |= deliver_held(area, context);
    set_kernel_mask(~KernelMask{0});
    if (due_signals(area->thread) == 0) return any;
    set_kernel_mask(kBlockedInHandler);
  }
}

/// go_through_signal: the guest goes on at area->resume, in a handler, or natively for a step.
void go_through(Area* area, UserContext& context) {
  Thread* const thread = area->thread;
  take_registers(area, context.machine);
  area->unmask = 0;
  if (must_leave(thread)) leave_engine(area, context, area->mask);
  context.mask = area->mask;
  if (deliver_held_at_last(area, context))
    thread->steps = false;  // the handler returns to where it is asked for again
  else
    context.machine.flags |= kTraceFlag;
}

/// Signals by which the engine moves its own threads. True: done.
bool take_own_signal(Area* area, int signal, const KernelInformation& information,
                     UserContext& context) {
  Thread* const thread = area->thread;
  MachineContext& machine = context.machine;
  const bool is_raised = information.code > 0;
  if (is_raised && machine.rip == reinterpret_cast<Word>(&go_through_signal)) {
    go_through(area, context);
    return true;
  }
  // Without the flag the signal comes from before go_through: the step is still to be made.
  if (thread->steps && (machine.flags & kTraceFlag) != 0) {
    thread->steps = false;
    machine.flags &= ~kTraceFlag;
    constexpr std::int32_t kTraced = 2;  // TRAP_TRACE
    if (signal == kSigTrap && information.code == kTraced) {
      // The CPU did know the instruction.
      claim_departure(thread, "it executes an instruction that the engine does not know");
      leave_engine(area, context, context.mask);
    }
  }
  if (!is_request_to_leave(signal, information)) return false;
  const Place place = place_of(machine.rip);
  if (place == Place::kEngine || (place == Place::kLeaving && area->unmask != 0)) {
    area->attention = 1;
    if (place == Place::kLeaving) machine.rip = reinterpret_cast<Word>(resume_begin);
    return true;
  }
  if (place == Place::kLeaving) take_registers(area, machine);
  leave_engine(area, context, context.mask);
}

}  // namespace

void set_signal_stack(const Thread* thread) {
  const KernelStack stack{thread->signal_stack, 0, 0, kSignalStackSize};
  kernel_call(kSigaltstackCall, word(&stack));
}

void take_over_signals(Thread* thread) {
  set_signal_stack(thread);
  KernelAction* const actions = thread->actions->actions;
  for (int signal = 1; signal <= kSignals; ++signal) {
    kernel_call(kSigactionCall, static_cast<Word>(signal), 0, word(&actions[signal]), kMaskSize);
    if (is_synchronous(signal))
      set_kernel_action(signal, kernel_action_for(signal, actions[signal]));
  }
  KernelMask mask = 0;
  kernel_call(kSigprocmaskCall, kBlock, 0, word(&mask), kMaskSize);
  set_kernel_mask(set_guest_mask(thread, engine.has_first_mask ? engine.first_mask : mask));
}

std::int64_t guest_sigaction(const Area* area, Word signal, Word action, Word old_action,
                             Word size) {
  if (size != kMaskSize || signal < 1 || signal > kSignals) return kInvalid;
  if (action != 0 && (signal == kSigKill || signal == kSigStop)) return kInvalid;
  const auto number = static_cast<int>(signal);
  KernelAction wanted{};
  if (action != 0 && !read_guest(action, wanted)) return kFault;
  wanted.mask &= ~kNeverBlocked;
  SignalActions& actions = *area->thread->actions;
  KernelAction before{};
  {
    const Guard guard(actions.lock);
    before = actions.actions[number];
    if (action != 0) {
      const auto result = set_kernel_action(number, kernel_action_for(number, wanted));
      if (failed(result)) return result;
      actions.actions[number] = wanted;
    }
  }
  if (old_action != 0 && !write_guest(old_action, before)) return kFault;
  return 0;
}

std::int64_t guest_sigprocmask(Area* area, Word how, Word set, Word old_set, Word size) {
  Thread* const thread = area->thread;
  if (size != kMaskSize || (set != 0 && how > kSetMask)) return kInvalid;
  KernelMask wanted = 0;
  if (set != 0 && !read_guest(set, wanted)) return kFault;
  block_signals(area);
  const KernelMask before = guest_mask(thread, area->mask);
  if (set != 0) {
    const KernelMask mask = how == kBlock     ? before | wanted
                            : how == kUnblock ? before & ~wanted
                                              : wanted;
    area->mask = set_guest_mask(thread, mask);
    if (due_signals(thread) != 0) area->attention = 1;
  }
  return old_set != 0 && !write_guest(old_set, before) ? kFault : 0;
}

std::int64_t guest_sigaltstack(Area* area, Word stack, Word old_stack) {
  Thread* const thread = area->thread;
  const Word rsp = area->registers[kRsp];
  KernelStack wanted{};
  if (stack != 0 && !read_guest(stack, wanted)) return kFault;
  const KernelStack before = visible_stack(thread, rsp);
  if (stack != 0) {
    if ((before.flags & kOnThisStack) != 0) return kNotPermitted;
    // What is no change is not looked at closely: none of size 0 where there was none from the
    // start.
    const KernelStack& stored = thread->guest_stack;
    const bool is_same =
        wanted.base == stored.base && wanted.size == stored.size && wanted.flags == stored.flags;
    if (is_same) stack = 0;
  }
  if (stack != 0) {
    const std::int32_t mode = wanted.flags & ~kAutoDisarm;
    if (mode != 0 && mode != kOnThisStack && mode != kStackDisabled) return kInvalid;
    if (mode == kStackDisabled) {
      wanted.base = wanted.size = 0;
    } else {
      if (wanted.size < kMinStack) return kNoMemory;
      wanted.flags &= kAutoDisarm;
    }
    thread->guest_stack = wanted;
  }
  return old_stack != 0 && !write_guest(old_stack, before) ? kFault : 0;
}

void guest_sigreturn(Area* area) {
  Thread* const thread = area->thread;
  block_signals(area);
  send_deferred(area);
  UserContext context{};
  if (!read_guest(area->registers[kRsp], context)) {
    KernelInformation fault{};
    fault.signal = kSigSegv;
    fault.code = 0x80;
    set_kernel_action(kSigSegv, KernelAction{});
    send_again(thread, kSigSegv, fault);
    set_kernel_mask(area->mask);
  }
  if (!is_on(thread->guest_stack, context.machine.rsp) || context.stack.size != 0) {
    thread->guest_stack = context.stack;
    thread->guest_stack.flags &= kStackDisabled | kAutoDisarm;
  }
  context.mask = set_guest_mask(thread, context.mask);
  context.stack = KernelStack{thread->signal_stack, 0, 0, kSignalStackSize};
  {
    const Guard guard(engine.lock);
    context.machine.rip = cache.enter_again(context.machine.rip);
  }
  area->unmask = 0;
  deliver_held_at_last(area, context);
  return_through(&context);
}

void block_signals(Area* area) {
  if (area->unmask != 0) return;
  const KernelMask before = set_kernel_mask(~kSynchronousSignals);
  area->mask = area->thread->has_deferred ? area->thread->deferred_mask : before;
  area->unmask = 1;
}

void send_deferred(Area* area) {
  Thread* const thread = area->thread;
  if (!thread->has_deferred) return;
  if (area->unmask == 0) {
    area->mask = thread->deferred_mask;
    area->unmask = 1;
  }
  thread->has_deferred = false;
  send_again(thread, thread->deferred_signal, thread->deferred);
}

void hand_over_actions(const Thread* thread) {
  for (int signal = 1; signal <= kSignals; ++signal) {
    const KernelAction action = action_of(thread, signal);
    if (is_synchronous(signal) || action.handler > kIgnore) set_kernel_action(signal, action);
  }
}

void send_held(Thread* thread) {
  set_kernel_mask(~KernelMask{0});
  for (int signal = 1; signal < 32; ++signal)
    if ((thread->held & mask_of(signal)) != 0)
      send_again(thread, signal, thread->held_information[signal]);
  thread->held = 0;
}

void let_calls_restart() {
  KernelAction action = kernel_action_for(kSigIll, KernelAction{});
  action.flags |= kRestart;
  set_kernel_action(kSigIll, action);
}

KernelMask pass_signals_on(Area* area) {
  Thread* const thread = area->thread;
  block_signals(area);
  send_deferred(area);
  for (int signal = 1; signal <= kSignals; ++signal) {
    const KernelAction action = action_of(thread, signal);
    if (is_synchronous(signal) && action.handler == kIgnore) set_kernel_action(signal, action);
  }
  return guest_mask(thread, area->mask);
}

void take_signals_back(Area* area) {
  for (int signal = 1; signal <= kSignals; ++signal) {
    const KernelAction action = action_of(area->thread, signal);
    if (is_synchronous(signal) && action.handler == kIgnore)
      set_kernel_action(signal, kernel_action_for(signal, action));
  }
}

}  // namespace bops::native

void on_signal(int signal, bops::native::KernelInformation* information,
               bops::native::UserContext* context) {
  using namespace bops::native;
  Area* const area = current_area();
  const bool is_raised = is_synchronous(signal) && information->code > 0;
  // What interrupts the engine itself is only kept: so however many signals come, there are never
  // more than two frames on the signal stack.
  const Word rip = context->machine.rip;
  if (place_of(rip) != Place::kEngine || rip == reinterpret_cast<Word>(&go_through_signal))
    set_kernel_mask(kBlockedInHandler);
  if (is_unmasking(rip)) context->mask = area->mask;
  if (take_own_signal(area, signal, *information, *context)) return;
  if (is_raised && handle_own_fault(area, signal, *information, *context)) return;
  deliver(area, signal, *information, *context);
  if (is_in_guest(context->machine.rip)) deliver_held_at_last(area, *context);
}
