#include "collectors/exact/profile_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

enum { POPULATE_STEP = 16384 /* storage is asked for in such pieces */ };

bool profile_writer_open(struct profile_writer* writer, const char* path) {
  memset(writer, 0, sizeof *writer);
  int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return false;
  struct stat status;
  void* base = MAP_FAILED;
  if (fstat(fd, &status) == 0 && status.st_size >= 2 * BOPS_PROFILE_EXTENT_SIZE)
    base = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE,
                fd, 0);
  int error = errno;
  close(fd);
  if (base == MAP_FAILED) {
    errno = error != 0 ? error : EINVAL;
    return false;
  }
  struct bops_profile_header* header = base;
  if (memcmp(header->magic, BOPS_PROFILE_MAGIC, sizeof header->magic) != 0 ||
      header->version != BOPS_PROFILE_VERSION || header->capacity > (uint64_t)status.st_size) {
    munmap(base, (size_t)status.st_size);
    errno = EINVAL;
    return false;
  }
  writer->header = header;
  return true;
}

void profile_writer_lost(struct profile_writer* writer) {
  if (writer->header) __atomic_fetch_add(&writer->header->lost, 1, __ATOMIC_RELAXED);
}

uint64_t profile_mono_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* On a full file system the first store to a hole would raise SIGBUS in the target. Kernels before
 * 5.14 cannot be asked for storage; there the store is risked. */
static bool back(char* begin, char* end) {
  begin -= (uintptr_t)begin % POPULATE_STEP;
  for (; begin < end; begin += POPULATE_STEP)
    if (madvise(begin, POPULATE_STEP, MADV_POPULATE_WRITE) != 0 && errno != EINVAL) return false;
  return true;
}

bool profile_writer_back(struct profile_writer* writer, void* begin, void* end) {
  if (back(begin, end)) return true;
  profile_writer_lost(writer);
  return false;
}

static bool populate(struct profile_writer* writer, char* end) {
  if (writer->populated_end >= end) return true;
  if (!back(writer->populated_end, end)) return false;
  writer->populated_end =
      (char*)(((uintptr_t)end + POPULATE_STEP - 1) / POPULATE_STEP * POPULATE_STEP);
  return true;
}

struct bops_profile_extent* profile_writer_new_extents(struct profile_writer* writer,
                                                       uint32_t count) {
  struct bops_profile_header* header = writer->header;
  if (!header) return NULL;
  uint64_t size = (uint64_t)count * BOPS_PROFILE_EXTENT_SIZE;
  uint64_t offset = __atomic_fetch_add(&header->used, size, __ATOMIC_RELAXED);
  if (offset > header->capacity || size > header->capacity - offset) return NULL;
  char* base = (char*)header + offset;
  for (uint32_t i = 0; i < count; i++) {
    struct bops_profile_extent* extent =
        (struct bops_profile_extent*)(base + (size_t)i * BOPS_PROFILE_EXTENT_SIZE);
    if (!back((char*)extent, (char*)extent + sizeof *extent)) return NULL;
    extent->extents = 1;
    extent->offset = offset + (uint64_t)i * BOPS_PROFILE_EXTENT_SIZE;
    extent->process = writer->process;
    __atomic_store_n(&extent->magic, (uint32_t)BOPS_PROFILE_EXTENT_MAGIC, __ATOMIC_RELEASE);
  }
  return (struct bops_profile_extent*)base;
}

struct bops_profile_extent* profile_writer_new_extent(struct profile_writer* writer) {
  return profile_writer_new_extents(writer, 1);
}

static bool take_extent(struct profile_writer* writer) {
  writer->free_begin = writer->free_end = NULL;
  char* base = (char*)profile_writer_new_extent(writer);
  if (!base) return false;
  writer->populated_end = base + POPULATE_STEP;
  writer->free_begin = base + sizeof(struct bops_profile_extent);
  writer->free_end = base + BOPS_PROFILE_EXTENT_SIZE;
  return true;
}

/* Room for a record of `size` bytes, zeroed, its size set and its type not. */
static void* new_record(struct profile_writer* writer, size_t size) {
  if (!writer->header) return NULL;
  size = (size + 7) & ~(size_t)7;
  if (size > BOPS_PROFILE_EXTENT_SIZE - sizeof(struct bops_profile_extent)) return NULL;
  if ((size_t)(writer->free_end - writer->free_begin) < size && !take_extent(writer)) {
    profile_writer_lost(writer);
    return NULL;
  }
  if (!populate(writer, writer->free_begin + size)) {
    profile_writer_lost(writer);
    return NULL;
  }
  struct bops_profile_record* record = (struct bops_profile_record*)writer->free_begin;
  writer->free_begin += size;
  record->size = (uint32_t)size;
  return record;
}

void profile_record_publish(struct bops_profile_record* record, uint32_t type) {
  __atomic_store_n(&record->type, type, __ATOMIC_RELEASE);
}

struct bops_profile_process* profile_writer_add_process(struct profile_writer* writer, pid_t pid,
                                                        pid_t ppid, const char* path,
                                                        size_t path_size) {
  if (!writer->header) return NULL;
  uint32_t index = __atomic_fetch_add(&writer->header->next_process, 1, __ATOMIC_RELAXED);
  struct bops_profile_process* process = new_record(writer, sizeof *process + path_size);
  if (!process) return NULL;
  process->index = index;
  process->pid = pid;
  process->ppid = ppid;
  process->start_mono_ns = profile_mono_ns();
  process->path_size = (uint32_t)path_size;
  memcpy(process->path, path, path_size);
  profile_record_publish(&process->record, BOPS_RECORD_PROCESS);
  return process;
}

struct bops_profile_process* profile_writer_start_process(struct profile_writer* writer, pid_t pid,
                                                          pid_t ppid, const char* path,
                                                          size_t path_size) {
  writer->free_begin = writer->free_end = writer->populated_end = NULL;
  if (!writer->header) return NULL;
  writer->process = __atomic_fetch_add(&writer->header->next_process, 1, __ATOMIC_RELAXED);
  struct bops_profile_process* process = new_record(writer, sizeof *process + path_size);
  if (!process) return NULL;
  process->index = writer->process;
  process->pid = pid;
  process->ppid = ppid;
  process->start_mono_ns = profile_mono_ns();
  process->path_size = (uint32_t)path_size;
  memcpy(process->path, path, path_size);
  profile_record_publish(&process->record, BOPS_RECORD_PROCESS);
  return process;
}

struct bops_profile_thread* profile_writer_start_thread(struct profile_writer* writer, pid_t tid,
                                                        const char* name) {
  struct bops_profile_thread* thread = new_record(writer, sizeof *thread);
  if (!thread) return NULL;
  thread->index = __atomic_fetch_add(&writer->header->next_thread, 1, __ATOMIC_RELAXED);
  thread->process = writer->process;
  thread->tid = tid;
  thread->start_mono_ns = profile_mono_ns();
  strncpy(thread->name, name, sizeof thread->name - 1);
  profile_record_publish(&thread->record, BOPS_RECORD_THREAD);
  return thread;
}

struct bops_profile_mapping* profile_writer_add_mapping(struct profile_writer* writer,
                                                        uint64_t start, uint64_t end,
                                                        uint64_t file_offset, uint64_t device,
                                                        uint64_t inode, const char* path) {
  size_t path_size = strlen(path);
  struct bops_profile_mapping* mapping = new_record(writer, sizeof *mapping + path_size);
  if (!mapping) return NULL;
  mapping->index = __atomic_fetch_add(&writer->header->next_mapping, 1, __ATOMIC_RELAXED);
  mapping->path_size = (uint32_t)path_size;
  mapping->start = start;
  mapping->end = end;
  mapping->file_offset = file_offset;
  mapping->device = device;
  mapping->inode = inode;
  memcpy(mapping->path, path, path_size);
  profile_record_publish(&mapping->record, BOPS_RECORD_MAPPING);
  return mapping;
}

uint64_t profile_writer_take_ids(struct profile_writer* writer, uint32_t count) {
  return __atomic_fetch_add(&writer->header->next_block, (uint64_t)count, __ATOMIC_RELAXED);
}

struct bops_profile_block* profile_writer_new_block(struct profile_writer* writer, uint64_t id,
                                                    uint16_t instructions, uint32_t bytes) {
  struct bops_profile_block* block = new_record(writer, sizeof *block + instructions + bytes);
  if (!block) return NULL;
  block->id = id;
  block->instructions = instructions;
  block->bytes = bytes;
  return block;
}

struct bops_profile_counters* profile_writer_new_counters(struct profile_writer* writer,
                                                          uint32_t thread, uint64_t first_block,
                                                          uint32_t blocks) {
  struct bops_profile_counters* counters =
      new_record(writer, sizeof *counters + blocks * sizeof counters->counters[0]);
  if (!counters) return NULL;
  counters->thread = thread;
  counters->blocks = blocks;
  counters->first_block = first_block;
  profile_record_publish(&counters->record, BOPS_RECORD_COUNTERS);
  return counters;
}

struct bops_profile_packed* profile_writer_new_packed(struct profile_writer* writer,
                                                      uint32_t thread, uint32_t entries) {
  struct bops_profile_packed* packed =
      new_record(writer, sizeof *packed + entries * sizeof packed->entry[0]);
  if (!packed) return NULL;
  packed->thread = thread;
  packed->entries = entries;
  return packed;
}

struct bops_profile_partial* profile_writer_add_partial(struct profile_writer* writer,
                                                        uint32_t thread, uint64_t block,
                                                        uint32_t completed) {
  struct bops_profile_partial* partial = new_record(writer, sizeof *partial);
  if (!partial) return NULL;
  partial->thread = thread;
  partial->block = block;
  partial->completed = completed;
  partial->times = 1;
  profile_record_publish(&partial->record, BOPS_RECORD_PARTIAL);
  return partial;
}

struct bops_profile_uncounted* profile_writer_add_uncounted(struct profile_writer* writer,
                                                            pid_t pid, pid_t ppid, const char* path,
                                                            const char* reason) {
  size_t path_size = strlen(path);
  size_t reason_size = strlen(reason);
  struct bops_profile_uncounted* uncounted =
      new_record(writer, sizeof *uncounted + path_size + reason_size);
  if (!uncounted) return NULL;
  uncounted->pid = pid;
  uncounted->ppid = ppid;
  uncounted->path_size = (uint32_t)path_size;
  uncounted->reason_size = (uint32_t)reason_size;
  uncounted->start_mono_ns = profile_mono_ns();
  memcpy(uncounted->text, path, path_size);
  memcpy(uncounted->text + path_size, reason, reason_size);
  profile_record_publish(&uncounted->record, BOPS_RECORD_UNCOUNTED);
  return uncounted;
}

struct bops_profile_region* profile_writer_start_region(struct profile_writer* writer,
                                                        uint32_t thread, uint32_t parent,
                                                        const char* name, size_t size) {
  struct bops_profile_region* region = new_record(writer, sizeof *region + size);
  if (!region) return NULL;
  region->index = __atomic_fetch_add(&writer->header->next_thread, 1, __ATOMIC_RELAXED);
  region->thread = thread;
  region->parent = parent;
  region->name_size = (uint32_t)size;
  memcpy(region->name, name, size);
  profile_record_publish(&region->record, BOPS_RECORD_REGION);
  return region;
}

struct bops_profile_work* profile_writer_add_work(struct profile_writer* writer, uint32_t index,
                                                  const char* unit) {
  size_t unit_size = strlen(unit);
  struct bops_profile_work* work = new_record(writer, sizeof *work + unit_size);
  if (!work) return NULL;
  work->thread = index;
  work->unit_size = (uint32_t)unit_size;
  memcpy(work->unit, unit, unit_size);
  profile_record_publish(&work->record, BOPS_RECORD_WORK);
  return work;
}

void profile_writer_add_message(struct profile_writer* writer, const char* text, size_t size) {
  struct bops_profile_message* message = new_record(writer, sizeof *message + size);
  if (!message) return;
  message->process = writer->process;
  message->text_size = (uint32_t)size;
  memcpy(message->text, text, size);
  profile_record_publish(&message->record, BOPS_RECORD_MESSAGE);
}
