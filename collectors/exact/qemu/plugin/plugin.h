/* The state of the plugin, and what its files ask of each other. README.md one folder up tells the
 * life of a block, a thread, a process and a signal. */
#ifndef BOPS_QEMU_PLUGIN_H
#define BOPS_QEMU_PLUGIN_H

#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "collectors/exact/profile_writer.h"
#include "collectors/exact/qemu/plugin/qemu_api.h"

enum {
  CHUNK_SHIFT = 7,
  CHUNK_BLOCKS = 1 << CHUNK_SHIFT, /* counters are stored in chunks of so many blocks */
  CHUNK_COUNT = 1 << 17,           /* so one program image can have 2^24 blocks */
  REP_STACK_DEPTH = 8
};

/* What the execution callbacks need to know of a block. A block's index, which is what a callback
 * is given, is its number in this process; index 0 is no block. The blocks of a chunk have
 * consecutive ids in the profile. */
struct block_info {
  struct bops_profile_block* record;
  uint64_t* counter; /* while the process has one thread; null in a block met later */
  uint64_t address;
  /* If the next block of the same thread starts here, it goes on with this block's last
   * instruction: QEMU enters a `rep` once an iteration, and retries a locked access that crosses a
   * cache line alone. 0: no such instruction. */
  uint64_t repeat_address;
};

/* A `rep` that a signal handler has interrupted. */
struct interrupted_rep {
  uint64_t context; /* address of the ucontext in the signal frame */
  uint64_t address; /* of the instruction */
};

struct thread {
  uint64_t** chunks; /* counters by block index >> CHUNK_SHIFT; null: not met yet */
  struct bops_profile_thread* record; /* null: it could not be stored */
  struct bops_profile_partial* last_partial;
  struct interrupted_rep reps[REP_STACK_DEPTH];
  unsigned rep_depth;
  struct bops_profile_uncounted* exec_record; /* of an exec that was let through */
  struct thread* next;                        /* in plugin.threads */
};

/* Of the calling thread: what each block's entry touches, without a step in between. */
struct here {
  uint64_t** chunks;     /* of its thread; without any before its first block */
  uintptr_t last;        /* index of the block entered last */
  uint64_t resumed_at;   /* address of the `rep` that a sigreturn goes back into, else 0 */
  struct thread* thread; /* null before its first block, and after its end */
};

struct plugin {
  pthread_mutex_t mutex; /* guards all below, and everything static in the plugin's files */
  struct profile_writer writer;
  struct bops_profile_process* process; /* null before the first block */
  struct thread* threads;               /* those alive */
  struct thread* first;                 /* the first thread; never freed */
  struct thread* alone;                 /* the first while it is the only one, else null */
  const char* profile_path;             /* these two as given to the plugin */
  const char* plugin_path;
  char program[PATH_MAX]; /* the guest's executable */
  char qemu[PATH_MAX];    /* the emulator's */
};

extern struct plugin plugin;

/* plugin.c */
void process_start(void); /* with the mutex held */

/* blocks.c */
void blocks_after_fork(void); /* in the child: its parent goes on using the chunk begun */
const struct block_info* block_info_at(uintptr_t index);
size_t block_chunks(void); /* how many chunks have blocks; with the mutex held */
uint64_t first_id_of_chunk(size_t chunk);
void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb* tb);

/* execution.c: callbacks, given the block's counter or index */
void on_block_alone(unsigned vcpu, void* counter);
void on_repeatable_block_alone(unsigned vcpu, void* index);
void on_handler_block_alone(unsigned vcpu, void* index);
void on_block(unsigned vcpu, void* index);
void on_repeatable_block(unsigned vcpu, void* index);
void on_handler_block(unsigned vcpu, void* index);

/* counters.c: with the mutex held */
uint64_t* counter_alone(uintptr_t index);
uintptr_t index_of_counter(const uint64_t* counter); /* 0: of no block */
uint64_t* chunk_of_thread(struct thread* thread, uintptr_t index);
void counters_become_shared(struct thread* thread);
void counters_after_fork(struct thread* thread);
/* Replaces the counters of a thread that ends by a list, so that many short ones need little room.
 */
void counters_pack(struct thread* thread);

/* threads.c */
extern _Thread_local struct here here;
struct thread* thread_attach(void); /* with the mutex held; null: no memory */
void threads_become_several(void);
void threads_after_fork(void); /* in the child, with the mutex held */
void threads_note_end(void);
void thread_end(void);

/* mappings.c */
void mappings_changed(void);
uint32_t mapping_of(uint64_t address); /* with the mutex held */

/* signals.c */
void handler_registered(uint64_t address, uint64_t flags);
bool is_handler(uint64_t address);                 /* with the mutex held */
void note_signal(unsigned vcpu, uint64_t handler); /* here.last is the block that it interrupted */
void note_sigreturn(unsigned vcpu);

/* exec.c */
struct exec_request {
  int directory; /* AT_FDCWD, or execveat's */
  bool empty_path_allowed;
  uint64_t path, arguments, environment; /* guest addresses */
};
void follow_exec(const struct exec_request* request);
void exec_returned(void);

/* guest.c */
enum guest_register { /* numbers of QEMU's gdb stub, target/i386/gdbstub.c */
                      GUEST_RDX = 3,
                      GUEST_RSI = 4,
                      GUEST_RDI = 5,
                      GUEST_RSP = 7
};
void guest_start(void);
uint64_t guest_base_address(void);
bool guest_register(unsigned vcpu, enum guest_register which, uint64_t* value);
bool guest_read(uint64_t address, void* to, size_t size);
bool guest_read_string(uint64_t address, char* to, size_t size); /* false if longer than size */

#endif
