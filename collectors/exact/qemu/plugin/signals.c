/* Signals: how far the interrupted block went.
 *
 * QEMU delivers a signal between blocks, so an asynchronous one interrupts nothing but a `rep`. A
 * fault leaves its block midway, and that block was counted at its entry. Both show when the
 * handler is entered: the signal frame holds the address where the thread was. Handlers are known
 * from the guest's rt_sigaction calls. */
#include <signal.h>
#include <stdlib.h>

#include "collectors/exact/qemu/plugin/plugin.h"

enum {
  /* Offset of rip in the ucontext: uc_flags, uc_link, uc_stack, then 16 registers of the
   * sigcontext (Linux, arch/x86/include/uapi/asm/sigcontext.h). */
  UCONTEXT_RIP = 8 + 8 + 24 + 16 * 8,
  SIGINFO_CODE = 8
};

struct handler {
  uint64_t address;
  bool has_information; /* SA_SIGINFO: QEMU fills the frame's siginfo for no other */
};

static struct handler* handlers;
static size_t handler_count, handler_capacity;

static struct handler* find_handler(uint64_t address) {
  for (size_t i = 0; i < handler_count; i++)
    if (handlers[i].address == address) return &handlers[i];
  return NULL;
}

static bool make_room(void) {
  if (handler_count < handler_capacity) return true;
  size_t larger = handler_capacity ? 2 * handler_capacity : 16;
  struct handler* more = realloc(handlers, larger * sizeof *more);
  if (!more) return false;
  handlers = more;
  handler_capacity = larger;
  return true;
}

void handler_registered(uint64_t address, uint64_t flags) {
  if (address <= 1) return; /* SIG_DFL, SIG_IGN */
  pthread_mutex_lock(&plugin.mutex);
  struct handler* handler = find_handler(address);
  if (!handler && make_room()) {
    handler = &handlers[handler_count++];
    handler->address = address;
  }
  if (handler) handler->has_information = (flags & SA_SIGINFO) != 0;
  pthread_mutex_unlock(&plugin.mutex);
}

bool is_handler(uint64_t address) {
  return find_handler(address) != NULL;
}

/* Whether the kernel raised the signal for what the thread executed, and nobody sent it. Without
 * SA_SIGINFO the signal's number must do. */
static bool is_fault(uint64_t signal, uint64_t information, uint64_t handler_address) {
  if (signal != SIGSEGV && signal != SIGBUS && signal != SIGFPE && signal != SIGILL &&
      signal != SIGTRAP)
    return false;
  pthread_mutex_lock(&plugin.mutex);
  const struct handler* handler = find_handler(handler_address);
  bool has_information = handler && handler->has_information;
  pthread_mutex_unlock(&plugin.mutex);
  int32_t code;
  return !has_information ||
         (guest_read(information + SIGINFO_CODE, &code, sizeof code) && code > 0);
}

static void note_partial(struct thread* thread, const struct bops_profile_block* block,
                         uint64_t address) {
  uint64_t at = block->address;
  for (uint32_t i = 0; i < block->instructions; at += block->data[i++]) {
    if (at != address) continue;
    struct bops_profile_partial* partial = thread->last_partial;
    if (partial && partial->block == block->id && partial->completed == i) {
      __atomic_store_n(&partial->times, partial->times + 1, __ATOMIC_RELAXED);
    } else {
      pthread_mutex_lock(&plugin.mutex);
      thread->last_partial =
          profile_writer_add_partial(&plugin.writer, thread->record->index, block->id, i);
      pthread_mutex_unlock(&plugin.mutex);
    }
    return;
  }
}

void note_signal(unsigned vcpu, uint64_t handler) {
  struct thread* thread = here.thread;
  const struct block_info* last = block_info_at(here.last);
  uint64_t signal, information, context, stack, address;
  if (!last->record || !thread || !thread->record || !guest_register(vcpu, GUEST_RDI, &signal) ||
      !guest_register(vcpu, GUEST_RSI, &information) ||
      !guest_register(vcpu, GUEST_RDX, &context) || !guest_register(vcpu, GUEST_RSP, &stack))
    return;
  /* An ordinary call of the same function has another third argument than a frame right above its
   * return address. */
  if (context != stack + 8 || !guest_read(context + UCONTEXT_RIP, &address, sizeof address)) return;
  if (is_fault(signal, information, handler)) {
    note_partial(thread, last->record, address);
  } else if (address != 0 && (address == last->repeat_address || address == here.resumed_at)) {
    if (thread->rep_depth == REP_STACK_DEPTH) thread->rep_depth = 0; /* left by longjmp */
    thread->reps[thread->rep_depth++] = (struct interrupted_rep){context, address};
  }
}

void note_sigreturn(unsigned vcpu) {
  struct thread* thread = here.thread;
  uint64_t stack;
  if (!thread || thread->rep_depth == 0 || !guest_register(vcpu, GUEST_RSP, &stack)) return;
  for (unsigned i = thread->rep_depth; i-- > 0;) {
    if (thread->reps[i].context != stack) continue;
    here.resumed_at = thread->reps[i].address;
    thread->rep_depth = i;
    return;
  }
}
