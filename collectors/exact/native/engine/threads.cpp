#include "collectors/exact/native/engine/code_cache.hpp"
#include "collectors/exact/native/engine/counters.hpp"
#include "collectors/exact/native/engine/regions.hpp"
#include "collectors/exact/native/engine/signals.hpp"
#include "collectors/exact/native/engine/thread.hpp"

extern "C" {
std::int64_t raw_clone(std::int64_t number, bops::native::Word a, bops::native::Word b,
                       bops::native::Word c, bops::native::Word d, bops::native::Word e,
                       bops::native::Area* child);
[[noreturn]] void leave_for_ever(bops::native::Word status, std::uint32_t* word,
                                 std::uint32_t value);
[[noreturn]] void resume_guest(bops::native::Word address);
void engine_enter();
[[noreturn]] void start_thread(bops::native::Area* area);
}

namespace bops::native {
namespace {

constexpr int kGetpid = 39, kClone = 56, kFork = 57, kVfork = 58, kExit = 60, kGetppid = 110,
              kPrctl = 157, kArchPrctl = 158, kGettid = 186, kExitGroup = 231, kClone3 = 435;
constexpr Word kSetGs = 0x1001, kGetName = 16;
constexpr Word kCloneVm = 0x100, kCloneSighand = 0x800, kCloneVfork = 0x4000,
               kCloneThread = 0x10000, kSigchld = 17;
constexpr std::int64_t kFault = -14;
constexpr Word kMinPartials = 64;

/// Guarded by the engine's lock.
struct {
  Thread* living;
  Thread* free;
} threads;

/// How a thread stands to its memory: a free one is used again once its last owner has left.
enum State : std::uint32_t { kFree = 0, kInUse = 1 };

void set_gs(const Area* area) {
  kernel_call(kArchPrctl, kSetGs, gs_of(area));
}

void read_name(char name[16]) {
  kernel_call(kPrctl, kGetName, word(name));
}

void prepare_slots(Area* area, Thread* thread) {
  area->enter = reinterpret_cast<Word>(&engine_enter);
  area->stack = thread->stack_top;
  area->unmask = 0;
  area->attention = 0;
}

Thread* new_thread() {
  Thread** link = &threads.free;
  while (*link && __atomic_load_n(&(*link)->state, __ATOMIC_ACQUIRE) != kFree)
    link = &(*link)->next;
  Thread* thread = *link;
  if (thread) {
    *link = thread->next;
  } else {
    auto* const memory = static_cast<std::uint8_t*>(
        try_to_reserve_memory(kThreadSize + kEngineStackSize + kSignalStackSize));
    if (!memory) return nullptr;
    thread = reinterpret_cast<Thread*>(memory);
    thread->stack_top = word(memory) + kThreadSize + kEngineStackSize;
    thread->signal_stack = thread->stack_top;
  }
  thread->state = kInUse;
  thread->tid = 0;  // until it runs
  thread->leaves = thread->has_stopped = thread->may_go = 0;
  thread->leads = thread->leads_all = thread->waits_for_child = thread->steps = false;
  thread->has_deferred = false;
  thread->held = 0;
  thread->blocked_synchronous = 0;
  thread->regions = 0;
  thread->shares_memory = false;
  thread->guest_stack = KernelStack{};
  thread->record = nullptr;
  thread->next = threads.living;
  threads.living = thread;
  return thread;
}

void forget_partials(Thread* thread) {
  if (thread->partials)
    give_up_memory(word(thread->partials), thread->partial_capacity * sizeof(Thread::Partial));
  thread->partials = nullptr;
  thread->partial_capacity = thread->partial_count = 0;
}

void note_end(Thread* thread) {
  if (!thread->record) return;
  read_name(thread->record->name);
  __atomic_store_n(&thread->record->end_mono_ns, profile_mono_ns(), __ATOMIC_RELEASE);
}

/// The thread's counts become a list; its areas and stacks are free as soon as it says so.
void retire(Thread* thread) {
  for (Thread** link = &threads.living; *link; link = &(*link)->next)
    if (*link == thread) {
      *link = thread->next;
      break;
    }
  forget_partials(thread);
  bool is_packed = thread->record != nullptr;
  for (const Area* area = thread->area; area && is_packed; area = area->next)
    is_packed = pack_area(area);
  if (is_packed) {
    __atomic_store_n(&thread->record->packed, 1, __ATOMIC_RELEASE);
    for (Area* area = thread->area; area;) {
      Area* const next = area->next;
      give_area_back(area);
      area = next;
    }
  }
  forget_regions(thread);
  thread->next = threads.free;
  threads.free = thread;
}

void record_thread(Thread* thread) {
  char name[16] = "";
  read_name(name);
  thread->record = profile_writer_start_thread(&engine.writer, thread->tid, name);
}

void become_process(Thread* thread) {
  thread->pid = static_cast<std::int32_t>(kernel_call(kGetpid));
  thread->parent = static_cast<std::int32_t>(kernel_call(kGetppid));
}

Word path_length(const char* path) {
  Word length = 0;
  while (path[length] != '\0') ++length;
  return length;
}

/// In the child of a fork: the only thread of a process with counters of its own.
void start_forked(Area* area) {
  engine.lock.reset();
  Thread* const thread = area->thread;
  thread->tid = static_cast<std::int32_t>(kernel_call(kGettid));
  become_process(thread);
  thread->has_deferred = false;
  thread->held = 0;
  thread->leaves = 0;  // what others asked of the parent
  thread->actions->lock.reset();
  forget_partials(thread);
  threads.living = thread;
  thread->next = nullptr;
  threads.free = nullptr;
  thread->area = area;
  area->next = nullptr;
  engine.process =
      profile_writer_start_process(&engine.writer, thread->pid, thread->parent,
                                   engine.paths.program, path_length(engine.paths.program));
  thread->process = engine.process;
  record_thread(thread);
  cache.start_new_window();
  counters_after_fork(area, thread->record ? thread->record->index : BOPS_PROFILE_NONE);
  reopen_regions(area);
}

std::int64_t fork_guest(Area* area, std::int64_t number, const Word arguments[5], Word stack) {
  const std::int64_t child = raw_clone(number, arguments[0], arguments[1], arguments[2],
                                       arguments[3], arguments[4], nullptr);
  if (child != 0) return child;
  start_forked(area);
  if (stack != 0) current_area()->registers[kRsp] = stack;
  return 0;
}

/// A child in the same memory: a thread, or a process until it executes a program.
std::int64_t start_in_same_memory(Area* area, std::int64_t number, const Word arguments[5],
                                  Word stack, Word flags, Word resume) {
  Thread* const parent = area->thread;
  Thread* child = nullptr;
  {
    const Guard guard(engine.lock);
    child = new_thread();
    if (!child) return kNoRoom;
    // Under the parent's name until it has a record of its own.
    child->area = take_area(child, BOPS_PROFILE_NONE);
    if (!child->area) {
      child->state = kFree;
      threads.living = child->next;
      child->next = threads.free;
      threads.free = child;
      return kNoRoom;
    }
    child->pid = (flags & kCloneThread) != 0 ? parent->pid : 0;  // a process learns its own
    if (child->pid != 0) {
      child->leaves = parent->leaves;
      child->may_go = parent->may_go;
    }
    parent->waits_for_child = (flags & kCloneVfork) != 0;
  }
  Area* const child_area = child->area;
  prepare_slots(child_area, child);
  child->shares_memory = (flags & kCloneThread) == 0;
  child->blocked_synchronous = parent->blocked_synchronous;
  child->actions = parent->actions;
  if ((flags & kCloneSighand) == 0) {
    const Guard guard(parent->actions->lock);
    child->actions = &child->own_actions;
    __builtin_memcpy(child->own_actions.actions, parent->actions->actions,
                     sizeof child->own_actions.actions);
  }
  child->parent = parent->parent;
  child->process = engine.process;
  if ((flags & kCloneVfork) != 0) child->guest_stack = parent->guest_stack;
  for (unsigned i = 0; i < kRegisterCount; ++i) child_area->registers[i] = area->registers[i];
  child_area->registers[kRax] = 0;
  if (stack != 0) child_area->registers[kRsp] = stack;
  child_area->resume = resume;
  child_area->mask = area->mask;
  child_area->unmask = 1;
  const std::int64_t result = raw_clone(number, arguments[0], arguments[1], arguments[2],
                                        arguments[3], arguments[4], child_area);
  parent->waits_for_child = false;
  const bool is_over = failed(result) || (flags & kCloneVfork) != 0;
  if (is_over) {
    // The child of a vfork has left this memory, by exec or exit.
    const Guard guard(engine.lock);
    if (child->state != kFree) {
      retire(child);
      child->state = kFree;
    }
  }
  return result;
}

}  // namespace

Thread* living_threads() {
  return threads.living;
}

Thread* start_first_thread() {
  Thread* const thread = new_thread();
  if (!thread) give_up("there is no memory for the first thread");
  thread->tid = static_cast<std::int32_t>(kernel_call(kGettid));
  thread->actions = &thread->own_actions;
  become_process(thread);
  thread->process = engine.process;
  record_thread(thread);
  thread->area = take_area(thread, thread->record ? thread->record->index : BOPS_PROFILE_NONE);
  if (!thread->area) give_up("there is no memory for the first thread");
  prepare_slots(thread->area, thread);
  set_gs(thread->area);
  return thread;
}

std::int64_t clone_guest(Area* area, std::int64_t number, Word resume) {
  const Word* const registers = area->registers;
  const Word arguments[5] = {registers[kRdi], registers[kRsi], registers[kRdx], registers[kR10],
                             registers[kR8]};
  Word flags = kSigchld, stack = 0;
  struct {
    Word flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size;
  } given{};
  if (number == kClone) {
    flags = arguments[0];
    stack = arguments[1];
  } else if (number == kVfork) {
    flags = kCloneVm | kCloneVfork | kSigchld;
  } else if (number == kClone3) {
    if (!read_guest(arguments[0], given)) return kFault;
    flags = given.flags;
    stack = given.stack + given.stack_size;
  }
  block_signals(area);
  if ((flags & kCloneVm) != 0)
    return start_in_same_memory(area, number, arguments, stack, flags, resume);
  {
    // Nobody else may be half way through a change when memory is copied.
    engine.lock.acquire();
    // A stack would be the child's engine stack: it is set afterwards instead.
    Word own[5] = {arguments[0], arguments[1], arguments[2], arguments[3], arguments[4]};
    if (number == kClone) own[1] = 0;
    if (number == kClone3 && given.stack != 0) {
      // Only the guest's structure says it; a fork with a stack of its own is made by clone.
      own[0] = given.flags | given.exit_signal;
      own[1] = 0;
      own[2] = given.parent_tid;
      own[3] = given.child_tid;
      own[4] = 0;
      number = kClone;
    }
    const std::int64_t child = fork_guest(area, number, own, stack);
    if (child != 0) engine.lock.release();
    return child;
  }
}

void exit_thread(Area* area, Word status) {
  Thread* const thread = area->thread;
  block_signals(area);
  const bool is_last = [&] {
    const Guard guard(engine.lock);
    const bool last = threads.living == thread && !thread->next;
    if (last || thread->shares_memory) note_end_of_process(area);
    // The last one's counters stay as they are, and so do those of who exits for its parent.
    if (!last && !thread->shares_memory) {
      note_end(thread);
      retire(thread);
    }
    return last;
  }();
  if (is_last || thread->shares_memory) kernel_call(kExit, status);
  leave_for_ever(status, &thread->state, kFree);
}

void exit_process(Area* area, Word status) {
  block_signals(area);
  note_end_of_process(area);
  for (;;) kernel_call(kExitGroup, status);
}

void note_end_of_process(Area* area) {
  Thread* const thread = area->thread;
  const std::uint64_t now = profile_mono_ns();
  if (thread->process) __atomic_store_n(&thread->process->end_mono_ns, now, __ATOMIC_RELEASE);
  note_end(thread);
}

void note_process_goes_on(Area* area) {
  Thread* const thread = area->thread;
  if (thread->process) __atomic_store_n(&thread->process->end_mono_ns, 0, __ATOMIC_RELEASE);
  if (thread->record) __atomic_store_n(&thread->record->end_mono_ns, 0, __ATOMIC_RELEASE);
}

bops_profile_partial* find_partial(Thread* thread, std::uint32_t context, std::uint32_t number,
                                   unsigned completed) {
  if (thread->partial_count * 2 >= thread->partial_capacity) {
    const Word capacity = thread->partial_capacity ? thread->partial_capacity * 4 : kMinPartials;
    auto* const larger =
        static_cast<Thread::Partial*>(reserve_memory(capacity * sizeof(Thread::Partial)));
    for (Word i = 0; i < thread->partial_capacity; ++i) {
      const Thread::Partial& old = thread->partials[i];
      if (!old.record) continue;
      Word at = (Word{old.number} * 31 + old.completed) * 0x9e3779b1 & (capacity - 1);
      while (larger[at].record) at = (at + 1) & (capacity - 1);
      larger[at] = old;
    }
    const Word count = thread->partial_count;
    forget_partials(thread);
    thread->partials = larger;
    thread->partial_capacity = capacity;
    thread->partial_count = count;
  }
  const Word mask = thread->partial_capacity - 1;
  Word at = (Word{number} * 31 + completed) * 0x9e3779b1 & mask;
  for (; thread->partials[at].record; at = (at + 1) & mask) {
    const Thread::Partial& partial = thread->partials[at];
    if (partial.number == number && partial.completed == completed && partial.context == context)
      return partial.record;
  }
  bops_profile_partial* const record =
      profile_writer_add_partial(&engine.writer, context, profile_id(number), completed);
  if (!record) return nullptr;
  record->times = 0;
  thread->partials[at] = {context, number, completed, record};
  ++thread->partial_count;
  return record;
}

}  // namespace bops::native

/// The first thing that a new thread does, on the engine's stack.
void start_thread(bops::native::Area* area) {
  using namespace bops::native;
  set_gs(area);
  Thread* const thread = area->thread;
  set_signal_stack(thread);
  thread->tid = static_cast<std::int32_t>(kernel_call(kGettid));
  {
    const Guard guard(engine.lock);
    if (thread->shares_memory) {
      become_process(thread);
      const std::uint32_t parent = engine.writer.process;
      bops_profile_process* const process =
          profile_writer_add_process(&engine.writer, thread->pid, thread->parent,
                                     engine.paths.program, path_length(engine.paths.program));
      thread->process = process;
      if (process) engine.writer.process = process->index;
      record_thread(thread);
      engine.writer.process = parent;
    } else {
      record_thread(thread);
    }
    set_area_owner(area, thread->record ? thread->record->index : BOPS_PROFILE_NONE);
  }
  resume_guest(area->resume);
}
