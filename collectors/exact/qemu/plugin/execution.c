/* Execution: counting, per thread, and the life of a thread. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "collectors/exact/qemu/plugin/plugin.h"

/* A thread that has run nothing yet has no chunks, so its first block takes the slow way. */
static uint64_t* no_chunks[CHUNK_COUNT];
static struct thread stranger = {.chunks = no_chunks};
static _Thread_local struct thread* self __attribute__((tls_model("initial-exec"))) = &stranger;

/* Takes the executions of what could not be stored; never read. */
static uint64_t overflow[CHUNK_BLOCKS];

static size_t table_bytes(void) { return CHUNK_COUNT * sizeof(uint64_t*); }

static void name_thread(struct bops_profile_thread* record) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/task/%d/comm", (int)record->tid);
  char name[sizeof record->name] = "";
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t size = fd < 0 ? -1 : read(fd, name, sizeof name - 1);
  if (fd >= 0) close(fd);
  if (size <= 0) return;
  name[strcspn(name, "\n")] = '\0';
  memcpy(record->name, name, sizeof name);
}

/* With the mutex held. Null if there is no memory for it. */
static struct thread* attach(void) {
  struct thread* thread = calloc(1, sizeof *thread);
  void* chunks = mmap(NULL, table_bytes(), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (!thread || chunks == MAP_FAILED) {
    if (chunks != MAP_FAILED) munmap(chunks, table_bytes());
    free(thread);
    return NULL;
  }
  char name[16] = "";
  prctl(PR_GET_NAME, name);
  thread->chunks = chunks;
  thread->record =
      profile_writer_start_thread(&plugin.writer, (pid_t)syscall(SYS_gettid), name);
  thread->next = plugin.threads;
  plugin.threads = thread;
  self = thread;
  return thread;
}

static struct bops_profile_counters* counters_for(struct thread* thread, uint64_t first_block) {
  if (plugin.free_count == 0)
    return profile_writer_new_counters(&plugin.writer, thread->record->index, first_block,
                                       CHUNK_BLOCKS);
  struct bops_profile_counters* counters = plugin.free_counters[--plugin.free_count];
  counters->first_block = first_block;
  __atomic_store_n(&counters->thread, thread->record->index, __ATOMIC_RELEASE);
  return counters;
}

static uint64_t* first_use_of_chunk(uintptr_t index) {
  uint64_t* counters = overflow;
  pthread_mutex_lock(&plugin.mutex);
  struct thread* thread = self == &stranger ? attach() : self;
  if (thread) {
    struct bops_profile_counters* record =
        thread->record ? counters_for(thread, plugin.first_id + (index & ~(uintptr_t)(CHUNK_BLOCKS - 1)))
                       : NULL;
    if (record)
      counters = record->counters;
    else
      profile_writer_lost(&plugin.writer);
    thread->chunks[index >> CHUNK_SHIFT] = counters;
  } else {
    profile_writer_lost(&plugin.writer);
  }
  pthread_mutex_unlock(&plugin.mutex);
  return counters;
}

static inline void count(uintptr_t index) {
  uint64_t* chunk = self->chunks[index >> CHUNK_SHIFT];
  if (__builtin_expect(!chunk, 0)) chunk = first_use_of_chunk(index);
  uint64_t* counter = &chunk[index & (CHUNK_BLOCKS - 1)];
  /* One writer: a plain add, whose store other processes see whole. */
  __atomic_store_n(counter, *counter + 1, __ATOMIC_RELAXED);
}

void on_block(unsigned vcpu, void* index) {
  (void)vcpu;
  count((uintptr_t)index);
  self->last = (uintptr_t)index;
}

void on_repeatable_block(unsigned vcpu, void* data) {
  (void)vcpu;
  uintptr_t index = (uintptr_t)data;
  uint64_t address = block_info_at(index)->address;
  bool continues = self->resumed_at != 0 ? self->resumed_at == address
                                         : block_info_at(self->last)->repeat_address == address;
  if (!continues) count(index);
  if (self == &stranger) return;
  self->resumed_at = 0;
  self->last = index;
}

void on_handler_block(unsigned vcpu, void* index) {
  if (self != &stranger) note_signal(vcpu, self, block_info_at((uintptr_t)index)->address);
  on_repeatable_block(vcpu, index);
}

struct thread* thread_self(void) { return self == &stranger ? NULL : self; }

static size_t executed_blocks(const struct thread* thread) {
  size_t executed = 0;
  for (size_t c = 0; c < block_chunks(); c++) {
    const uint64_t* counters = thread->chunks[c];
    if (!counters || counters == overflow) continue;
    for (size_t i = 0; i < CHUNK_BLOCKS; i++) executed += counters[i] != 0;
  }
  return executed;
}

/* Lists a finished thread's counters that are not 0, so that ten thousand short threads need little
 * room. False if there is no room for the list. */
static bool pack(struct thread* thread) {
  size_t left = executed_blocks(thread);
  struct bops_profile_packed* packed = NULL;
  uint32_t used = 0;
  for (size_t c = 0; c < block_chunks() && left > 0; c++) {
    const uint64_t* counters = thread->chunks[c];
    if (!counters || counters == overflow) continue;
    for (size_t i = 0; i < CHUNK_BLOCKS; i++) {
      if (counters[i] == 0) continue;
      if (!packed) {
        used = 0;
        packed = profile_writer_new_packed(
            &plugin.writer, thread->record->index,
            (uint32_t)(left < PROFILE_PACKED_MAX_ENTRIES ? left : PROFILE_PACKED_MAX_ENTRIES));
        if (!packed) return false;
      }
      packed->entry[used].block = plugin.first_id + c * CHUNK_BLOCKS + i;
      packed->entry[used].executions = counters[i];
      left--;
      if (++used < packed->entries) continue;
      profile_record_publish(&packed->record, BOPS_RECORD_PACKED);
      packed = NULL;
    }
  }
  return true;
}

static void give_back(struct bops_profile_counters* counters) {
  if (plugin.free_count == plugin.free_capacity) {
    size_t larger = plugin.free_capacity ? 2 * plugin.free_capacity : 64;
    void* more = realloc(plugin.free_counters, larger * sizeof(void*));
    if (!more) return;
    plugin.free_counters = more;
    plugin.free_capacity = larger;
  }
  __atomic_store_n(&counters->thread, BOPS_PROFILE_NONE, __ATOMIC_RELEASE);
  memset(counters->counters, 0, CHUNK_BLOCKS * sizeof counters->counters[0]);
  plugin.free_counters[plugin.free_count++] = counters;
}

void thread_end(void) {
  struct thread* thread = thread_self();
  if (!thread) return;
  pthread_mutex_lock(&plugin.mutex);
  self = &stranger;
  for (struct thread** link = &plugin.threads; *link; link = &(*link)->next)
    if (*link == thread) {
      *link = thread->next;
      break;
    }
  bool last = plugin.threads == NULL;
  if (thread->record) {
    name_thread(thread->record);
    __atomic_store_n(&thread->record->end_mono_ns, profile_mono_ns(), __ATOMIC_RELEASE);
    if (!last && pack(thread)) {
      __atomic_store_n(&thread->record->packed, 1, __ATOMIC_RELEASE);
      for (size_t c = 0; c < block_chunks(); c++) {
        uint64_t* counters = thread->chunks[c];
        if (counters && counters != overflow)
          give_back((struct bops_profile_counters*)((char*)counters -
                                                    offsetof(struct bops_profile_counters,
                                                             counters)));
      }
    }
  }
  if (last && plugin.process)
    __atomic_store_n(&plugin.process->end_mono_ns, profile_mono_ns(), __ATOMIC_RELEASE);
  munmap(thread->chunks, table_bytes());
  free(thread);
  pthread_mutex_unlock(&plugin.mutex);
}

void threads_note_end(void) {
  pthread_mutex_lock(&plugin.mutex);
  uint64_t now = profile_mono_ns();
  for (struct thread* thread = plugin.threads; thread; thread = thread->next) {
    if (!thread->record) continue;
    name_thread(thread->record);
    __atomic_store_n(&thread->record->end_mono_ns, now, __ATOMIC_RELEASE);
  }
  if (plugin.process) __atomic_store_n(&plugin.process->end_mono_ns, now, __ATOMIC_RELEASE);
  pthread_mutex_unlock(&plugin.mutex);
}

void thread_after_fork(void) {
  struct thread* thread = thread_self();
  plugin.threads = NULL;
  if (!thread) return;
  madvise(thread->chunks, table_bytes(), MADV_DONTNEED); /* private memory: reads as null again */
  char name[16] = "";
  prctl(PR_GET_NAME, name);
  thread->record = profile_writer_start_thread(&plugin.writer, getpid(), name);
  thread->last_partial = NULL;
  thread->exec_record = NULL;
  thread->next = NULL;
  plugin.threads = thread;
}
