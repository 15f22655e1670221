/* What runs each time the guest enters a block: counting, in as few instructions as can be.
 * One set of callbacks for processes with one thread, one for those with several. QEMU flushes its
 * translations when the first thread is cloned, so no block of the first set runs after that. */
#include "collectors/exact/qemu/plugin/plugin.h"

/* One writer each: plain adds, whose stores other processes see whole. */
static inline void add_one(uint64_t* counter) {
  __atomic_store_n(counter, *counter + 1, __ATOMIC_RELAXED);
}

/* --- One thread ------------------------------------------------------------------------------- */

static uint64_t* last_counter; /* of the block entered last */

/* Of the block entered last that ended in an instruction which may go on in the next block. */
static uint64_t* repeat_counter;
static uint64_t repeat_address;
static uintptr_t repeat_index;

void on_block_alone(unsigned vcpu, void* counter) {
  (void)vcpu;
  add_one(counter);
  last_counter = counter;
}

/* A block that follows itself directly is the next iteration of a `rep`: that is most of what runs
 * here, and decided first. */

void on_repeatable_block_alone(unsigned vcpu, void* data) {
  (void)vcpu;
  uintptr_t index = (uintptr_t)data;
  if (last_counter == repeat_counter && repeat_index == index) return;
  const struct block_info* block = block_info_at(index);
  bool continues = here.resumed_at != 0
                       ? here.resumed_at == block->address
                       : last_counter == repeat_counter && repeat_address == block->address;
  if (!continues) add_one(block->counter);
  here.resumed_at = 0;
  last_counter = repeat_counter = block->counter;
  repeat_address = block->repeat_address;
  repeat_index = index;
}

void on_handler_block_alone(unsigned vcpu, void* index) {
  pthread_mutex_lock(&plugin.mutex);
  here.last = index_of_counter(last_counter);
  pthread_mutex_unlock(&plugin.mutex);
  note_signal(vcpu, block_info_at((uintptr_t)index)->address);
  on_repeatable_block_alone(vcpu, index);
}

/* --- Several threads -------------------------------------------------------------------------- */

/* Apart, so that the ordinary way needs no stack frame. */
static __attribute__((noinline)) void on_new_chunk(uintptr_t index) {
  pthread_mutex_lock(&plugin.mutex);
  struct thread* thread = thread_attach();
  uint64_t* chunk = chunk_of_thread(thread, index);
  pthread_mutex_unlock(&plugin.mutex);
  add_one(&chunk[index & (CHUNK_BLOCKS - 1)]);
  here.last = index;
}

void on_block(unsigned vcpu, void* data) {
  (void)vcpu;
  uintptr_t index = (uintptr_t)data;
  uint64_t* chunk = here.chunks[index >> CHUNK_SHIFT];
  if (__builtin_expect(!chunk, 0)) return on_new_chunk(index);
  add_one(&chunk[index & (CHUNK_BLOCKS - 1)]);
  here.last = index;
}

void on_repeatable_block(unsigned vcpu, void* data) {
  uintptr_t index = (uintptr_t)data;
  if (here.last == index) return;
  uint64_t address = block_info_at(index)->address;
  bool continues = here.resumed_at != 0 ? here.resumed_at == address
                                        : block_info_at(here.last)->repeat_address == address;
  here.resumed_at = 0;
  if (!continues) return on_block(vcpu, data);
  here.last = index;
}

void on_handler_block(unsigned vcpu, void* index) {
  note_signal(vcpu, block_info_at((uintptr_t)index)->address);
  on_repeatable_block(vcpu, index);
}
