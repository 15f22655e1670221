/* Where executions are counted: in chunks of CHUNK_BLOCKS counters, each a record of the profile.
 *
 * While a process has one thread, each block's counter has a fixed address, which its callback is
 * given: nothing is cheaper. Those chunks fill extents of their own, so that a fork can put fresh
 * ones at the same addresses. Once the process has several threads, each finds its chunks through a
 * table of its own, and gets them when it first needs them. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "collectors/exact/qemu/plugin/plugin.h"

enum {
  CHUNK_BYTES = sizeof(struct bops_profile_counters) + CHUNK_BLOCKS * sizeof(uint64_t),
  CHUNKS_PER_EXTENT = (BOPS_PROFILE_EXTENT_SIZE - sizeof(struct bops_profile_extent)) / CHUNK_BYTES
};

/* Takes the executions of what could not be stored; never read. */
static uint64_t overflow[CHUNK_BLOCKS];

/* Of the single thread: the chunks by block index >> CHUNK_SHIFT, and the extents that they fill.
 */
static struct bops_profile_counters* alone_chunks[CHUNK_COUNT];
static struct bops_profile_extent* alone_extents[CHUNK_COUNT / CHUNKS_PER_EXTENT + 1];
static size_t alone_count; /* chunks in the extents */

static struct bops_profile_counters** free_chunks; /* of ended threads, to be used again */
static size_t free_count, free_capacity;

static struct bops_profile_counters* place_in_extent(struct bops_profile_extent* extent, size_t i) {
  return (struct bops_profile_counters*)((char*)(extent + 1) + i * CHUNK_BYTES);
}

static void write_chunk(struct bops_profile_counters* chunk, uint32_t thread,
                        uint64_t first_block) {
  chunk->record.size = CHUNK_BYTES;
  chunk->thread = thread;
  chunk->blocks = CHUNK_BLOCKS;
  chunk->first_block = first_block;
  profile_record_publish(&chunk->record, BOPS_RECORD_COUNTERS);
}

static struct bops_profile_counters* new_alone_chunk(size_t chunk) {
  size_t place = alone_count % CHUNKS_PER_EXTENT;
  struct bops_profile_extent** extent = &alone_extents[alone_count / CHUNKS_PER_EXTENT];
  if (!plugin.alone->record) return NULL;
  if (!*extent) *extent = profile_writer_new_extent(&plugin.writer);
  if (!*extent) {
    profile_writer_lost(&plugin.writer);
    return NULL;
  }
  struct bops_profile_counters* counters = place_in_extent(*extent, place);
  if (!profile_writer_back(&plugin.writer, counters, (char*)counters + CHUNK_BYTES)) return NULL;
  write_chunk(counters, plugin.alone->record->index, first_id_of_chunk(chunk));
  alone_count++;
  return counters;
}

uint64_t* counter_alone(uintptr_t index) {
  struct bops_profile_counters** chunk = &alone_chunks[index >> CHUNK_SHIFT];
  if (!*chunk) *chunk = new_alone_chunk(index >> CHUNK_SHIFT);
  return *chunk ? &(*chunk)->counters[index % CHUNK_BLOCKS] : overflow;
}

uintptr_t index_of_counter(const uint64_t* counter) {
  for (size_t c = 0; c < block_chunks(); c++)
    if (alone_chunks[c] && counter >= alone_chunks[c]->counters &&
        counter < alone_chunks[c]->counters + CHUNK_BLOCKS)
      return c * CHUNK_BLOCKS + (uintptr_t)(counter - alone_chunks[c]->counters);
  return 0;
}

void counters_become_shared(struct thread* thread) {
  for (size_t c = 0; c < block_chunks(); c++)
    if (alone_chunks[c]) thread->chunks[c] = alone_chunks[c]->counters;
}

/* Another extent with the same chunks, all counts 0, at the same address. */
static bool replace_extent(struct bops_profile_extent* place, size_t chunks, uint32_t thread) {
  struct bops_profile_extent* fresh = profile_writer_new_extent(&plugin.writer);
  if (!fresh || !profile_writer_back(&plugin.writer, fresh, place_in_extent(fresh, chunks)))
    return false;
  for (size_t i = 0; i < chunks; i++)
    write_chunk(place_in_extent(fresh, i), thread, place_in_extent(place, i)->first_block);
  return mremap(fresh, BOPS_PROFILE_EXTENT_SIZE, BOPS_PROFILE_EXTENT_SIZE,
                MREMAP_MAYMOVE | MREMAP_FIXED, place) == place;
}

/* The child's translated code counts at its parent's addresses: fresh extents are moved there. */
void counters_after_fork(struct thread* thread) {
  free_count = 0;
  for (size_t e = 0; e * CHUNKS_PER_EXTENT < alone_count; e++) {
    size_t chunks = alone_count - e * CHUNKS_PER_EXTENT;
    if (chunks > CHUNKS_PER_EXTENT) chunks = CHUNKS_PER_EXTENT;
    if (thread->record && replace_extent(alone_extents[e], chunks, thread->record->index)) continue;
    profile_writer_lost(&plugin.writer);
    mmap(alone_extents[e], BOPS_PROFILE_EXTENT_SIZE, PROT_READ | PROT_WRITE,
         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  }
}

static struct bops_profile_counters* take_chunk(uint32_t thread, uint64_t first_block) {
  if (free_count == 0)
    return profile_writer_new_counters(&plugin.writer, thread, first_block, CHUNK_BLOCKS);
  struct bops_profile_counters* counters = free_chunks[--free_count];
  counters->first_block = first_block;
  __atomic_store_n(&counters->thread, thread, __ATOMIC_RELEASE);
  return counters;
}

uint64_t* chunk_of_thread(struct thread* thread, uintptr_t index) {
  struct bops_profile_counters* record = NULL;
  if (thread && thread->record)
    record = take_chunk(thread->record->index, first_id_of_chunk(index >> CHUNK_SHIFT));
  else
    profile_writer_lost(&plugin.writer);
  uint64_t* chunk = record ? record->counters : overflow;
  if (thread) thread->chunks[index >> CHUNK_SHIFT] = chunk;
  return chunk;
}

static void give_back(uint64_t* chunk) {
  if (free_count == free_capacity) {
    size_t larger = free_capacity ? 2 * free_capacity : 64;
    void* more = realloc(free_chunks, larger * sizeof(void*));
    if (!more) return;
    free_chunks = more;
    free_capacity = larger;
  }
  struct bops_profile_counters* counters =
      (struct bops_profile_counters*)((char*)chunk -
                                      offsetof(struct bops_profile_counters, counters));
  __atomic_store_n(&counters->thread, BOPS_PROFILE_NONE, __ATOMIC_RELEASE);
  memset(chunk, 0, CHUNK_BLOCKS * sizeof chunk[0]);
  free_chunks[free_count++] = counters;
}

static size_t executed_blocks(const struct thread* thread) {
  size_t executed = 0;
  for (size_t c = 0; c < block_chunks(); c++) {
    const uint64_t* counters = thread->chunks[c];
    if (!counters || counters == overflow) continue;
    for (size_t i = 0; i < CHUNK_BLOCKS; i++) executed += counters[i] != 0;
  }
  return executed;
}

/* Lists the counters that are not 0. False if there is no room for the list. */
static bool write_packed(const struct thread* thread) {
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
      packed->entry[used].block = first_id_of_chunk(c) + i;
      packed->entry[used].executions = counters[i];
      left--;
      if (++used < packed->entries) continue;
      profile_record_publish(&packed->record, BOPS_RECORD_PACKED);
      packed = NULL;
    }
  }
  return true;
}

void counters_pack(struct thread* thread) {
  if (!write_packed(thread)) return;
  __atomic_store_n(&thread->record->packed, 1, __ATOMIC_RELEASE);
  for (size_t c = 0; c < block_chunks(); c++) {
    uint64_t* chunk = thread->chunks[c];
    if (chunk && chunk != overflow && !(alone_chunks[c] && chunk == alone_chunks[c]->counters))
      give_back(chunk);
  }
}
