#include "collectors/region/region_counters.h"

#ifdef __x86_64__

#include <asm/signal.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/perf_event.h>
#include <linux/resource.h>
#include <linux/socket.h>
#include <linux/uio.h>
#include <linux/un.h>

#include "collectors/region/region_area.h"
#include "collectors/region/region_protocol.h"
#include "collectors/region/system_calls.h"

/* A test that has a PMU double puts other functions here (tests/programs/events_by_libc.c). */
#ifdef BOPS_REGION_EVENTS_BY_LIBC
long read_event(int fd, void* buffer, unsigned long size);
long map_event(int fd, unsigned long size);
void unmap_event(const void* page, unsigned long size);
#else
static long read_event(int fd, void* buffer, unsigned long size) {
  return call3(SYS_read, fd, (long)buffer, (long)size);
}

static long map_event(int fd, unsigned long size) {
  return call6(SYS_mmap, 0, (long)size, PROT_READ, MAP_SHARED, fd, 0);
}

static void unmap_event(const void* page, unsigned long size) {
  call3(SYS_munmap, (long)page, (long)size, 0);
}
#endif

/* Of <sys/socket.h> and <errno.h>, which belong to a C library. */
enum {
  SOCKET_UNIX = 1,
  SOCKET_SEQPACKET = 5,
  SOCKET_CLOSE_ON_EXEC = 02000000,
  SOCKET_LEVEL = 1,
  SOCKET_PEER = 17,   /* SO_PEERCRED */
  RIGHTS = 1,         /* SCM_RIGHTS */
  NO_SIGNAL = 0x4000, /* MSG_NOSIGNAL */
  CLOSE_ON_EXEC = 0x40000000,
  INTERRUPTED = 4 /* EINTR */
};

struct peer {
  int32_t pid;
  uint32_t uid, gid;
};

struct message {
  void* name;
  uint32_t name_size;
  struct iovec* parts;
  size_t part_count;
  void* control;
  size_t control_size;
  uint32_t flags;
};

struct control {
  size_t size;
  int level, type;
  int descriptors[BOPS_REGION_MAX_DESCRIPTORS];
};

enum { IS_ENABLED = 0, IS_RUNNING = 1, FIRST_VALUE = 2 /* words of a group */ };

/* What this copy of the library knows of a thread. Found by the thread's id: no thread-local
 * storage, which static programs and dlopen() have in ways of their own. */
struct thread {
  int32_t tid; /* the thread's, or one of the below */
  int32_t pid; /* the process that asked: a child of fork(2) has its parent's entries, too */
  struct bops_region_area* area; /* null: this thread's regions are not heard of */
  int descriptor[BOPS_REGION_MAX_GROUPS];
  uint64_t event[BOPS_REGION_MAX_GROUPS]; /* the kernel's number of it */
};

enum {
  FREE = 0,
  TAKEN = -1, /* is being filled or emptied */
  DEAD = -2,  /* free, but there may be entries behind it that are found through it */
  MAX_THREADS = 1 << 13,
  SWEPT_AT_ONCE = 256,
  PAGE_SIZE = 4096,
  SHARE_OF_LOCKED = 16 /* pages of events are locked: at most this part of what the user may lock */
};

/* The pages of the threads' events, at the place of each thread's entry; the first is null where
 * they are read by the descriptor alone. A child of fork(2) has no such pages, and finds zeros
 * here (MADV_WIPEONFORK). */
struct pages {
  const struct perf_event_mmap_page* page[MAX_THREADS][BOPS_REGION_MAX_EVENTS];
  int64_t count;
  int sweeping; /* a thread looks for entries of ended ones */
};

/* In memory of its own: only what is used costs anything. */
static struct thread* threads;
static struct pages* pages;
static int pages_are_wiped; /* not before Linux 4.14: then there are none */
static uint32_t swept;      /* how far the entries of ended threads were looked for */

static void close_descriptor(int fd) {
  call3(SYS_close, fd, 0, 0);
}

/* The number behind `field` in the text; 0 if there is none. */
static int32_t number_behind(const char* text, const char* field) {
  for (; *text != '\0'; ++text) {
    size_t i = 0;
    while (field[i] != '\0' && text[i] == field[i]) ++i;
    if (field[i] != '\0') continue;
    int32_t number = 0;
    for (text += i; *text == '\t' || *text == ' '; ++text) continue;
    for (; *text >= '0' && *text <= '9'; ++text) number = number * 10 + (*text - '0');
    return number;
  }
  return 0;
}

/* 0: nobody follows this thread, or from where this PID namespace does not see. */
static int32_t tracer(void) {
  char text[512]; /* it stands within the first 250 bytes */
  const long fd = call4(SYS_openat, AT_FDCWD, (long)"/proc/thread-self/status",
                        O_RDONLY | O_CLOEXEC | O_NOCTTY, 0);
  if (fd < 0) return 0;
  const long size = call3(SYS_read, fd, (long)text, sizeof text - 1);
  close_descriptor((int)fd);
  if (size <= 0) return 0;
  text[size] = '\0';
  return number_behind(text, "\nTracerPid:");
}

static char* put(char* to, const char* text) {
  while (*text != '\0') *to++ = *text++;
  return to;
}

static char* put_number(char* to, uint64_t number) {
  char digits[20];
  int count = 0;
  do digits[count++] = (char)('0' + number % 10);
  while ((number /= 10) != 0);
  while (count > 0) *to++ = digits[--count];
  return to;
}

/* A connection to the bops that follows this thread, or a negative number. */
static long connection(void) {
  const int32_t pid = tracer();
  if (pid == 0) return -1;
  char name_space[64]; /* "pid:[4026531836]" */
  const long size =
      call3(SYS_readlink, (long)"/proc/self/ns/pid", (long)name_space, sizeof name_space - 1);
  if (size <= 0) return -1;
  name_space[size] = '\0';
  struct sockaddr_un address;
  address.sun_family = SOCKET_UNIX;
  address.sun_path[0] = '\0';
  char* end = put(address.sun_path + 1, BOPS_REGION_SOCKET);
  end = put_number(end, (uint32_t)number_behind(name_space, "pid:["));
  end = put(end, "-");
  end = put_number(end, (uint32_t)pid);
  const long fd = call3(SYS_socket, SOCKET_UNIX, SOCKET_SEQPACKET | SOCKET_CLOSE_ON_EXEC, 0);
  if (fd < 0) return -1;
  long done = 0;
  do done = call3(SYS_connect, fd, (long)&address, end - (char*)&address);
  while (done == -INTERRUPTED);
  struct peer peer = {0, 0, 0};
  uint32_t peer_size = sizeof peer;
  /* Anyone may take that name: only the tracer is believed. */
  if (done == 0)
    call6(SYS_getsockopt, fd, SOCKET_LEVEL, SOCKET_PEER, (long)&peer, (long)&peer_size, 0);
  if (done == 0 && peer.pid == pid) return fd;
  close_descriptor((int)fd);
  return -1;
}

int bops_region_counters_are_there(void) {
  const long fd = connection();
  if (fd < 0) return 0;
  close_descriptor((int)fd);
  return 1;
}

/* The descriptor at a number that the program has no use for: it may count on getting the lowest
 * free one, and on what it closed being closed. At most a quarter of its numbers are taken from it;
 * beyond that there is none. */
static int out_of_the_way(int fd) {
  struct {
    uint64_t soft, hard;
  } limit = {0, 0};
  call4(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, (long)&limit);
  const uint64_t lowest = limit.soft < 4096 ? limit.soft * 3 / 4 : 3072;
  const long moved = call3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, (long)lowest);
  close_descriptor(fd);
  return moved < 0 ? -1 : (int)moved;
}

static int is_event(int fd, uint64_t event) {
  uint64_t found = 0;
  return call3(SYS_ioctl, fd, (long)PERF_EVENT_IOC_ID, (long)&found) == 0 && found == event;
}

static int is_area(const struct bops_region_area* area, int32_t tid) {
  for (size_t i = 0; i < sizeof area->magic; ++i)
    if (area->magic[i] != BOPS_REGION_AREA_MAGIC[i]) return 0;
  return area->size == sizeof *area && area->tid == tid && area->groups <= BOPS_REGION_MAX_GROUPS;
}

/* Whether the group could be read; its words are the times enabled and running and the values. */
static int read_group(const struct thread* self, uint32_t group,
                      uint64_t values[BOPS_REGION_MAX_WORDS]) {
  /* How many values, the times, and the values, each with a number of lost samples if it samples.
   */
  uint64_t read[1 + FIRST_VALUE + 2 * BOPS_REGION_MAX_EVENTS];
  const uint32_t words = self->area->words[group];
  /* The program may have closed it, and opened something else, which must not be read. */
  if (words < FIRST_VALUE || words > BOPS_REGION_MAX_WORDS ||
      !is_event(self->descriptor[group], self->event[group]))
    return 0;
  const uint32_t count = words - FIRST_VALUE;
  const long got = read_event(self->descriptor[group], read, sizeof read);
  const uint32_t each = got == (long)((1 + FIRST_VALUE + 2 * count) * sizeof read[0]) ? 2 : 1;
  if (got != (long)((1 + FIRST_VALUE + each * count) * sizeof read[0]) || read[0] != count)
    return 0;
  values[IS_ENABLED] = read[1 + IS_ENABLED];
  values[IS_RUNNING] = read[1 + IS_RUNNING];
  for (uint32_t i = 0; i < count; ++i) values[FIRST_VALUE + i] = read[1 + FIRST_VALUE + each * i];
  return 1;
}

static uint64_t read_counter(uint32_t counter) {
  uint32_t low = 0;
  uint32_t high = 0;
  __asm__ volatile("rdpmc" : "=a"(low), "=d"(high) : "c"(counter) : "memory");
  return (uint64_t)high << 32 | low;
}

/* The value of the thread's own event, as perf_event_open(2) has it for perf_event_mmap_page. 0: it
 * is not on a counter that may be read, or was not all the time since it was found to have been off
 * for `off` nanoseconds. */
static int read_page(const struct perf_event_mmap_page* page, uint64_t off, uint64_t* value) {
  enum { TRIES = 16 };
  for (int i = 0; i < TRIES; ++i) {
    const uint32_t lock = __atomic_load_n(&page->lock, __ATOMIC_ACQUIRE);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    const uint32_t index = __atomic_load_n(&page->index, __ATOMIC_RELAXED);
    const uint32_t width = page->pmc_width;
    const uint64_t enabled = __atomic_load_n(&page->time_enabled, __ATOMIC_RELAXED);
    const uint64_t running = __atomic_load_n(&page->time_running, __ATOMIC_RELAXED);
    const int64_t offset = __atomic_load_n(&page->offset, __ATOMIC_RELAXED);
    if (!page->cap_user_rdpmc || index == 0 || width == 0 || width > 64 || enabled - running != off)
      return 0;
    const uint64_t counter = read_counter(index - 1) << (64 - width);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    /* The counter has `width` bits, the highest of which is its sign. */
    *value = (uint64_t)offset + (uint64_t)((int64_t)counter >> (64 - width));
    if (lock % 2 == 0 && __atomic_load_n(&page->lock, __ATOMIC_ACQUIRE) == lock) return 1;
  }
  return 0;
}

static const struct perf_event_mmap_page** pages_of(const struct thread* self) {
  return pages->page[self - threads];
}

/* The group by rdpmc, with no system call. `last` is what was read before; the times go on by a
 * nanosecond each, as the page has them as they were when the thread was last scheduled: what they
 * are for is their difference. */
static int read_pages(const struct thread* self, const uint64_t last[BOPS_REGION_MAX_WORDS],
                      uint64_t values[BOPS_REGION_MAX_WORDS]) {
  if (pages_of(self)[0] == NULL) return 0;
  const uint32_t words = self->area->words[0];
  for (uint32_t word = FIRST_VALUE; word < words; ++word)
    if (!read_page(pages_of(self)[word - FIRST_VALUE], last[IS_ENABLED] - last[IS_RUNNING],
                   &values[word]))
      return 0;
  values[IS_ENABLED] = last[IS_ENABLED] + 1;
  values[IS_RUNNING] = last[IS_RUNNING] + 1;
  return 1;
}

static void unmap_pages(const struct thread* self) {
  for (int i = 0; i < BOPS_REGION_MAX_EVENTS; ++i)
    if (pages_of(self)[i] != NULL) {
      unmap_event(pages_of(self)[i], PAGE_SIZE);
      pages_of(self)[i] = NULL;
      __atomic_fetch_sub(&pages->count, 1, __ATOMIC_RELAXED);
    }
}

/* What the user may lock is for the program, too. */
static int may_map(uint32_t more) {
  struct {
    uint64_t soft, hard;
  } limit = {0, 0};
  call4(SYS_prlimit64, 0, RLIMIT_MEMLOCK, 0, (long)&limit);
  const uint64_t most = limit.soft / SHARE_OF_LOCKED / PAGE_SIZE;
  return (uint64_t)__atomic_load_n(&pages->count, __ATOMIC_RELAXED) + more <= most;
}

/* Whether rdpmc gives what read(2) gives, between two of these. */
static int pages_are_right(const struct thread* self) {
  uint64_t before[BOPS_REGION_MAX_WORDS];
  uint64_t between[BOPS_REGION_MAX_WORDS];
  uint64_t after[BOPS_REGION_MAX_WORDS];
  if (!read_group(self, 0, before) || !read_pages(self, before, between) ||
      !read_group(self, 0, after))
    return 0;
  for (uint32_t word = FIRST_VALUE; word < self->area->words[0]; ++word)
    if (between[word] < before[word] || between[word] > after[word]) return 0;
  return 1;
}

/* Whether the page of the event could be mapped, and shows a counter that may be read. */
static int map_page(const struct thread* self, uint32_t place, int fd) {
  uint64_t event = 0;
  if (call3(SYS_ioctl, fd, (long)PERF_EVENT_IOC_ID, (long)&event) != 0) return 0;
  const long mapped = map_event(fd, PAGE_SIZE);
  if (mapped < 0 && mapped > -4096) return 0;
  pages_of(self)[place] = (const struct perf_event_mmap_page*)mapped;
  __atomic_fetch_add(&pages->count, 1, __ATOMIC_RELAXED);
  return pages_of(self)[place]->cap_user_rdpmc;
}

/* Maps the events of the only group, whose leader has been taken, and keeps the mappings if they
 * can be used; closes `members`, the descriptors of the others. A single group is pinned: it counts
 * all the time or never again. Several take turns, or are on one kind of core each. */
static void map_pages(const struct thread* self, const int* members, size_t count) {
  const uint32_t events = self->area->words[0] - FIRST_VALUE;
  int mapped = self->area->groups == 1 && self->area->lost == 0 && pages_are_wiped &&
               events <= BOPS_REGION_MAX_EVENTS && count + 1 == events && may_map(events) &&
               map_page(self, 0, self->descriptor[0]);
  /* One after another: they lie at the lowest numbers, where the program has its own. */
  for (size_t i = 0; i < count; ++i) {
    mapped = mapped && map_page(self, (uint32_t)i + 1, members[i]);
    close_descriptor(members[i]);
  }
  if (!mapped || !pages_are_right(self)) unmap_pages(self);
}

/* Takes what bops has sent: its area, the leaders of its groups, their other events. */
static void take(struct thread* self, int32_t tid, const int* descriptors, size_t count,
                 uint32_t groups) {
  const long mapped =
      call6(SYS_mmap, 0, sizeof *self->area, PROT_READ | PROT_WRITE, MAP_SHARED, descriptors[0], 0);
  close_descriptor(descriptors[0]);
  const size_t leaders = count - 1 < groups ? count - 1 : groups;
  uint32_t lost = 0;
  for (size_t i = 0; i < leaders; ++i) {
    self->descriptor[i] = out_of_the_way(descriptors[1 + i]);
    self->event[i] = 0;
    lost |=
        call3(SYS_ioctl, self->descriptor[i], (long)PERF_EVENT_IOC_ID, (long)&self->event[i]) != 0;
  }
  struct bops_region_area* const area =
      mapped < 0 && mapped > -4096 ? NULL : (struct bops_region_area*)mapped;
  if (area != NULL && is_area(area, tid)) {
    /* Fewer have come than were sent if the program has as many as it may. */
    if (lost != 0 || area->groups != leaders) area->lost = 1;
    __atomic_store_n(&area->taken, 1, __ATOMIC_RELAXED);
    self->area = area;
    return map_pages(self, descriptors + 1 + leaders, count - 1 - leaders);
  }
  if (area != NULL) call3(SYS_munmap, mapped, sizeof *area, 0);
  for (size_t i = 0; i < leaders; ++i) close_descriptor(self->descriptor[i]);
  for (size_t i = 1 + leaders; i < count; ++i) close_descriptor(descriptors[i]);
}

/* Asks for the area of the calling thread. 0: nobody listens. Waits for bops, and no longer than
 * there is one: its end ends the connection. */
static int ask(struct thread* self, int32_t tid) {
  const long fd = connection();
  if (fd < 0) return 0;
  if (call6(SYS_sendto, fd, (long)&tid, sizeof tid, NO_SIGNAL, 0, 0) == sizeof tid) {
    struct bops_region_answer answer = {0};
    struct iovec part = {&answer, sizeof answer};
    struct control control;
    struct message message = {NULL, 0, &part, 1, &control, sizeof control, 0};
    long got = 0;
    do {
      control.size = 0;
      got = call3(SYS_recvmsg, fd, (long)&message, CLOSE_ON_EXEC);
    } while (got == -INTERRUPTED);
    const size_t head = offsetof(struct control, descriptors);
    if (got == sizeof answer && message.control_size > head && control.type == RIGHTS &&
        control.size >= head + sizeof(int))
      take(self, tid, control.descriptors, (control.size - head) / sizeof(int),
           answer.groups < BOPS_REGION_MAX_GROUPS ? answer.groups : BOPS_REGION_MAX_GROUPS);
  }
  close_descriptor((int)fd);
  return 1;
}

/* The area stays, as another thread may look into it to see whether this one has ended. */
static void give_up_counters(struct thread* entry) {
  for (int i = 0; i < BOPS_REGION_MAX_GROUPS; ++i) {
    if (entry->descriptor[i] >= 0 && is_event(entry->descriptor[i], entry->event[i]))
      close_descriptor(entry->descriptor[i]);
    entry->descriptor[i] = -1;
  }
  unmap_pages(entry);
}

static uint32_t end_of(const struct thread* entry) {
  return entry->area == NULL ? BOPS_REGION_GOES_ON
                             : __atomic_load_n(&entry->area->ended, __ATOMIC_ACQUIRE);
}

/* Gives up what threads had that have ended, some entries at a time. Only here areas are unmapped,
 * and only by one thread at a time, so that it can look into those it has not taken. */
static void sweep(void) {
  if (__atomic_exchange_n(&pages->sweeping, 1, __ATOMIC_ACQUIRE) != 0) return;
  const uint32_t from = __atomic_fetch_add(&swept, SWEPT_AT_ONCE, __ATOMIC_RELAXED);
  for (uint32_t i = 0; i < SWEPT_AT_ONCE; ++i) {
    struct thread* const entry = &threads[(from + i) % MAX_THREADS];
    int32_t owner = __atomic_load_n(&entry->tid, __ATOMIC_ACQUIRE);
    if (owner <= 0 || end_of(entry) != BOPS_REGION_OVER) continue;
    if (!__atomic_compare_exchange_n(&entry->tid, &owner, TAKEN, 0, __ATOMIC_ACQ_REL,
                                     __ATOMIC_RELAXED))
      continue;
    give_up_counters(entry);
    call3(SYS_munmap, (long)entry->area, sizeof *entry->area, 0);
    entry->area = NULL;
    __atomic_store_n(&entry->tid, DEAD, __ATOMIC_RELEASE);
  }
  __atomic_store_n(&pages->sweeping, 0, __ATOMIC_RELEASE);
}

/* A free entry, which is TAKEN then, or null. */
static struct thread* new_entry(int32_t tid) {
  for (uint32_t i = 0; i < MAX_THREADS; ++i) {
    struct thread* const entry = &threads[((uint32_t)tid + i) % MAX_THREADS];
    int32_t owner = __atomic_load_n(&entry->tid, __ATOMIC_ACQUIRE);
    if ((owner == FREE || owner == DEAD) &&
        __atomic_compare_exchange_n(&entry->tid, &owner, TAKEN, 0, __ATOMIC_ACQ_REL,
                                    __ATOMIC_RELAXED))
      return entry;
  }
  return NULL;
}

/* The calling thread's; null: there is no room for it. `*listening` is 0 if nobody does. */
static struct thread* entry_of(int32_t tid, int* listening) {
  const int32_t pid = (int32_t)call3(SYS_getpid, 0, 0, 0);
  for (uint32_t i = 0; i < MAX_THREADS; ++i) {
    struct thread* const entry = &threads[((uint32_t)tid + i) % MAX_THREADS];
    int32_t owner = __atomic_load_n(&entry->tid, __ATOMIC_ACQUIRE);
    if (owner == FREE) break;
    if (owner != tid || entry->pid != pid) continue;
    /* It may be of one that had this id before, and be swept meanwhile. */
    if (!__atomic_compare_exchange_n(&entry->tid, &owner, TAKEN, 0, __ATOMIC_ACQUIRE,
                                     __ATOMIC_RELAXED))
      continue;
    const uint32_t ended = end_of(entry);
    if (ended == BOPS_REGION_LEFT) give_up_counters(entry);
    __atomic_store_n(&entry->tid, tid, __ATOMIC_RELEASE);
    if (ended == BOPS_REGION_OVER) continue;
    *listening = ended == BOPS_REGION_GOES_ON;
    return entry;
  }
  sweep();
  struct thread* const entry = new_entry(tid);
  if (entry == NULL) return NULL;
  entry->area = NULL;
  for (int i = 0; i < BOPS_REGION_MAX_GROUPS; ++i) entry->descriptor[i] = -1;
  entry->pid = pid;
  *listening = ask(entry, tid);
  __atomic_store_n(&entry->tid, tid, __ATOMIC_RELEASE);
  return entry;
}

/* Null: there is no memory. */
static void* new_memory(size_t size) {
  const long mapped = call6(SYS_mmap, 0, (long)size, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return mapped < 0 && mapped > -4096 ? NULL : (void*)mapped;
}

static int make_pages(void) {
  struct pages* const made = new_memory(sizeof *made);
  if (made == NULL) return 0;
  const int are_wiped = call3(SYS_madvise, (long)made, sizeof *made, MADV_WIPEONFORK) == 0;
  struct pages* before = NULL;
  if (__atomic_compare_exchange_n(&pages, &before, made, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
    pages_are_wiped = are_wiped;
  else
    call3(SYS_munmap, (long)made, sizeof *made, 0);
  return 1;
}

static int make_table(void) {
  if (__atomic_load_n(&threads, __ATOMIC_ACQUIRE) != NULL) return 1;
  if (!make_pages()) return 0; /* whoever has the table has these, too */
  const size_t size = sizeof(struct thread) * MAX_THREADS;
  struct thread* const made = new_memory(size);
  if (made == NULL) return 0;
  struct thread* before = NULL;
  if (!__atomic_compare_exchange_n(&threads, &before, made, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
    call3(SYS_munmap, (long)made, (long)size, 0);
  return 1;
}

/* What the counters of the calling thread show now. 0: that cannot be read. */
static int read_counters(const struct thread* self, struct bops_region_values* values) {
  if (read_pages(self, self->area->last.word[0], values->word[0])) return 1;
  for (uint32_t group = 0; group < self->area->groups; ++group)
    if (!read_group(self, group, values->word[group])) return 0;
  return 1;
}

static void copy(const struct bops_region_area* area, struct bops_region_values* to,
                 const struct bops_region_values* from) {
  for (uint32_t group = 0; group < area->groups; ++group)
    for (uint32_t word = 0; word < area->words[group]; ++word)
      to->word[group][word] = from->word[group][word];
}

/* Whatever happens in between, the area says what is: see region_area.h. */
static void carry_out(struct bops_region_area* area) {
  const struct bops_region_change* const next = &area->next;
  __atomic_store_n(&area->sequence, area->sequence + 1, __ATOMIC_RELEASE);
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  if (next->left != BOPS_REGION_NONE)
    copy(area, &area->context[next->left].counted, &next->left_counted);
  copy(area, &area->last, &next->last);
  area->contexts = next->contexts;
  area->depth = next->depth;
  if (next->depth > 0) area->open[next->depth - 1] = next->top;
  if (next->entered != BOPS_REGION_NONE) area->context[next->entered].entries = next->entries;
  __atomic_store_n(&area->sequence, area->sequence + 1, __ATOMIC_RELEASE);
}

static uint32_t innermost(const struct bops_region_area* area) {
  return area->depth == 0 ? BOPS_REGION_NONE : area->open[area->depth - 1];
}

/* From here on the thread is in `top`, at `depth`. */
static void move_to(const struct thread* self, uint32_t top, uint32_t depth, uint32_t entered,
                    uint32_t contexts) {
  struct bops_region_area* const area = self->area;
  struct bops_region_change* const next = &area->next;
  next->contexts = contexts;
  next->depth = depth;
  next->top = top;
  next->entered = entered;
  if (entered != BOPS_REGION_NONE) next->entries = area->context[entered].entries + 1;
  next->left = BOPS_REGION_NONE;
  if (area->groups > 0 && area->lost == 0) {
    if (read_counters(self, &next->last)) {
      next->left = innermost(area);
      if (next->left != BOPS_REGION_NONE)
        for (uint32_t group = 0; group < area->groups; ++group)
          for (uint32_t word = 0; word < area->words[group]; ++word)
            next->left_counted.word[group][word] =
                area->context[next->left].counted.word[group][word] + next->last.word[group][word] -
                area->last.word[group][word];
    } else {
      area->lost = 1;
    }
  }
  carry_out(area);
}

static int is_equal(const char* a, const char* b) {
  for (; *a != '\0' && *a == *b; ++a) ++b;
  return *a == *b;
}

static int is_on_path(const struct bops_region_area* area, uint32_t context, const char* name) {
  for (; context != BOPS_REGION_NONE; context = area->context[context].parent)
    if (is_equal(area->context[context].name, name)) return 1;
  return 0;
}

/* Whether each name on the path of `a` is on that of `b`, or is `name`. */
static int is_within(const struct bops_region_area* area, uint32_t a, uint32_t b,
                     const char* name) {
  for (; a != BOPS_REGION_NONE; a = area->context[a].parent)
    if (!is_equal(area->context[a].name, name) && !is_on_path(area, b, area->context[a].name))
      return 0;
  return 1;
}

/* The context of `name` within `around`; where there is none, the number of a new one. */
static uint32_t find_context(const struct bops_region_area* area, uint32_t around,
                             const char* name) {
  for (uint32_t i = 0; i < area->contexts; ++i)
    if (area->context[i].parent == around && is_equal(area->context[i].name, name)) return i;
  for (uint32_t i = 0; i < area->contexts; ++i)
    if (is_equal(area->context[i].name, name) && is_within(area, i, around, name) &&
        is_within(area, around, i, name))
      return i;
  return area->contexts;
}

static void begin(const struct thread* self, const char* name) {
  struct bops_region_area* const area = self->area;
  if (area->depth == BOPS_REGION_MAX_DEPTH) {
    ++area->beyond;
    area->refused = 1;
    return;
  }
  const uint32_t around = innermost(area);
  uint32_t context = find_context(area, around, name);
  uint32_t contexts = area->contexts;
  if (context == contexts) {
    if (contexts == BOPS_REGION_MAX_CONTEXTS) {
      /* Counted with the one around it, which is open once more. */
      area->refused = 1;
      return move_to(self, around, area->depth + 1, BOPS_REGION_NONE, contexts);
    }
    struct bops_region_context* const made = &area->context[context];
    made->parent = around;
    made->entries = 0;
    char* end = put(made->name, name);
    *end = '\0';
    ++contexts;
  }
  move_to(self, context, area->depth + 1, context, contexts);
}

static void end(const struct thread* self) {
  struct bops_region_area* const area = self->area;
  if (area->beyond > 0) {
    --area->beyond;
    return;
  }
  if (area->depth == 0) return;
  const uint32_t depth = area->depth - 1;
  move_to(self, depth == 0 ? BOPS_REGION_NONE : area->open[depth - 1], depth, BOPS_REGION_NONE,
          area->contexts);
}

static void add_work(struct bops_region_area* area, const char* unit, uint64_t amount) {
  const uint32_t context = innermost(area);
  uint32_t i = 0;
  while (i < area->works &&
         (area->work[i].context != context || !is_equal(area->work[i].unit, unit)))
    ++i;
  if (i == BOPS_REGION_MAX_WORKS) {
    area->refused = 1;
    return;
  }
  struct bops_region_work* const work = &area->work[i];
  if (i == area->works) {
    work->context = context;
    work->amount = 0;
    char* text_end = put(work->unit, unit);
    *text_end = '\0';
    __atomic_store_n(&area->works, i + 1, __ATOMIC_RELEASE);
  }
  __atomic_store_n(&work->amount, work->amount + amount, __ATOMIC_RELAXED);
}

/* What would interrupt this code but for its own faults: a handler may name regions, too. */
static uint64_t other_signals(void) {
  static const int kFaults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
  uint64_t signals = ~(uint64_t)0;
  for (size_t i = 0; i < sizeof kFaults / sizeof kFaults[0]; ++i)
    signals &= ~((uint64_t)1 << (kFaults[i] - 1));
  return signals;
}

int bops_region_counters_tell(long operation, const char* text, uint64_t value) {
  char name[BOPS_REGION_NAME_BYTES];
  size_t size = 0;
  /* Here, where a pointer that cannot be read faults as it would in the program itself. */
  for (; text != NULL && size < BOPS_REGION_MAX_NAME_SIZE && text[size] != '\0'; ++size)
    name[size] = text[size];
  name[size] = '\0';
  if (!make_table()) return 0;
  uint64_t blocked = other_signals();
  uint64_t before = 0;
  call4(SYS_rt_sigprocmask, SIG_SETMASK, (long)&blocked, (long)&before, sizeof before);
  int listening = 1;
  const int32_t tid = (int32_t)call3(SYS_gettid, 0, 0, 0);
  const struct thread* const self = entry_of(tid, &listening);
  if (listening && self != NULL && self->area != NULL) switch (operation) {
      case BOPS_REGION_BEGIN: begin(self, name); break;
      case BOPS_REGION_END: end(self); break;
      case BOPS_REGION_WORK: add_work(self->area, name, value); break;
      default: break;
    }
  call4(SYS_rt_sigprocmask, SIG_SETMASK, (long)&before, 0, sizeof before);
  return listening;
}

#else /* bops counts no other machines' regions */

int bops_region_counters_are_there(void) {
  return 0;
}

int bops_region_counters_tell(long operation, const char* text, uint64_t value) {
  (void)operation, (void)text, (void)value;
  return 0;
}

#endif
