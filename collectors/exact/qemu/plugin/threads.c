/* The life of a thread, and of a process as its threads. */
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

_Thread_local struct here here __attribute__((tls_model("initial-exec"))) = {.chunks = no_chunks};

static size_t table_bytes(void) {
  return CHUNK_COUNT * sizeof(uint64_t*);
}

static void record_thread(struct thread* thread) {
  char name[16] = "";
  prctl(PR_GET_NAME, name);
  thread->record = profile_writer_start_thread(&plugin.writer, (pid_t)syscall(SYS_gettid), name);
}

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

struct thread* thread_attach(void) {
  if (here.thread) return here.thread;
  struct thread* thread = calloc(1, sizeof *thread);
  void* chunks = mmap(NULL, table_bytes(), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (!thread || chunks == MAP_FAILED) {
    if (chunks != MAP_FAILED) munmap(chunks, table_bytes());
    free(thread);
    return NULL;
  }
  thread->chunks = chunks;
  record_thread(thread);
  thread->next = plugin.threads;
  plugin.threads = thread;
  here.chunks = thread->chunks;
  here.thread = thread;
  return thread;
}

void threads_become_several(void) {
  pthread_mutex_lock(&plugin.mutex);
  if (plugin.alone) {
    counters_become_shared(plugin.alone);
    here.last = 0;
    plugin.alone = NULL;
  }
  pthread_mutex_unlock(&plugin.mutex);
}

void thread_end(void) {
  struct thread* thread = here.thread;
  if (!thread) return;
  pthread_mutex_lock(&plugin.mutex);
  for (struct thread** link = &plugin.threads; *link; link = &(*link)->next)
    if (*link == thread) {
      *link = thread->next;
      break;
    }
  uint64_t now = profile_mono_ns();
  if (thread->record) {
    name_thread(thread->record);
    __atomic_store_n(&thread->record->end_mono_ns, now, __ATOMIC_RELEASE);
    if (plugin.threads) counters_pack(thread);
  }
  if (!plugin.threads && plugin.process)
    __atomic_store_n(&plugin.process->end_mono_ns, now, __ATOMIC_RELEASE);
  if (!plugin.alone && thread != plugin.first) {
    munmap(thread->chunks, table_bytes());
    free(thread);
  }
  here = (struct here){.chunks = no_chunks};
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

void threads_after_fork(void) {
  struct thread* thread = here.thread;
  plugin.threads = NULL;
  if (!thread) return;
  record_thread(thread);
  thread->last_partial = NULL;
  thread->exec_record = NULL;
  thread->next = NULL;
  plugin.threads = thread;
  counters_after_fork(thread);
  madvise(thread->chunks, table_bytes(), MADV_DONTNEED); /* private memory: null again */
}
