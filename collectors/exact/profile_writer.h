/* Writes a block profile from inside a target. One writer per process; calls are serialised by the
 * caller except where marked lock-free. Never fails the target: what cannot be stored is told by a
 * null result and by `lost` in the header. */
#ifndef BOPS_COLLECTORS_EXACT_PROFILE_WRITER_H
#define BOPS_COLLECTORS_EXACT_PROFILE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "collectors/exact/block_profile.h"

struct profile_writer {
  struct bops_profile_header* header; /* the mapped file; null: nothing is recorded */
  uint32_t process;                   /* index of the current process */
  char* free_begin;                   /* the unused rest of the current extent */
  char* free_end;
  char* populated_end; /* memory before it is backed by storage */
};

/* Maps the profile at `path`. False, with errno, if it cannot be mapped or is no profile. */
bool profile_writer_open(struct profile_writer* writer, const char* path);

/* Starts a process record: for the first time, after a fork (in the child, so that nothing of the
 * parent's is written on), or after an exec. `path` need not be NUL-terminated. */
struct bops_profile_process* profile_writer_start_process(struct profile_writer* writer, pid_t pid,
                                                          pid_t ppid, const char* path,
                                                          size_t path_size);
/* The record of another process that runs in this one's memory, until it executes a program. */
struct bops_profile_process* profile_writer_add_process(struct profile_writer* writer, pid_t pid,
                                                        pid_t ppid, const char* path,
                                                        size_t path_size);
struct bops_profile_thread* profile_writer_start_thread(struct profile_writer* writer, pid_t tid,
                                                        const char* name);
struct bops_profile_mapping* profile_writer_add_mapping(struct profile_writer* writer,
                                                        uint64_t start, uint64_t end,
                                                        uint64_t file_offset, uint64_t device,
                                                        uint64_t inode, const char* path);
/* The first of `count` consecutive block ids that nobody else has. */
uint64_t profile_writer_take_ids(struct profile_writer* writer, uint32_t count);
/* A block with room for its data, not yet visible: fill it in, then publish the record. */
struct bops_profile_block* profile_writer_new_block(struct profile_writer* writer, uint64_t id,
                                                    uint16_t instructions, uint32_t bytes);
struct bops_profile_counters* profile_writer_new_counters(struct profile_writer* writer,
                                                          uint32_t thread, uint64_t first_block,
                                                          uint32_t blocks);
/* An extent of its own for the current process, without records: BOPS_PROFILE_EXTENT_SIZE bytes, of
 * which only the header is backed by storage yet. */
struct bops_profile_extent* profile_writer_new_extent(struct profile_writer* writer);
/* The same for `count` of them, one after another. */
struct bops_profile_extent* profile_writer_new_extents(struct profile_writer* writer,
                                                       uint32_t count);
/* Backs [begin, end) of the file's mapping with storage. False if there is none. */
bool profile_writer_back(struct profile_writer* writer, void* begin, void* end);
/* Room for `entries` entries of a thread, not yet visible. */
struct bops_profile_packed* profile_writer_new_packed(struct profile_writer* writer,
                                                      uint32_t thread, uint32_t entries);
struct bops_profile_partial* profile_writer_add_partial(struct profile_writer* writer,
                                                        uint32_t thread, uint64_t block,
                                                        uint32_t completed);
struct bops_profile_uncounted* profile_writer_add_uncounted(struct profile_writer* writer,
                                                            pid_t pid, pid_t ppid, const char* path,
                                                            const char* reason);
/* A context of the thread with index `thread`, begun 0 times so far, in the context with index
 * `parent` or, BOPS_PROFILE_NONE, in none. `name` need not be NUL-terminated. */
struct bops_profile_region* profile_writer_start_region(struct profile_writer* writer,
                                                        uint32_t thread, uint32_t parent,
                                                        const char* name, size_t size);
/* An amount of 0 so far of the work measured in `unit`, done under the index of a thread or
 * context: add to it what is done. */
struct bops_profile_work* profile_writer_add_work(struct profile_writer* writer, uint32_t index,
                                                  const char* unit);
void profile_writer_add_message(struct profile_writer* writer, const char* text, size_t size);

/* Makes a record visible to readers. */
void profile_record_publish(struct bops_profile_record* record, uint32_t type);

/* CLOCK_MONOTONIC in nanoseconds. Lock-free. */
uint64_t profile_mono_ns(void);

/* Counts a refusal of storage. Lock-free. */
void profile_writer_lost(struct profile_writer* writer);

enum {
  /* Entries that fit one PACKED record, which must fit one extent. */
  PROFILE_PACKED_MAX_ENTRIES = 2048
};

#endif
