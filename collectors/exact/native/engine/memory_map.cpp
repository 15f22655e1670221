#include "collectors/exact/native/engine/memory_map.hpp"

#include <asm/unistd.h>
#include <sys/mman.h>

#include <cstring>

#include "collectors/exact/native/engine/code_cache.hpp"
#include "collectors/exact/native/engine/process_maps.hpp"
#include "collectors/exact/native/engine/text.hpp"

namespace bops::native {
namespace {

constexpr Word kGiB = Word{1} << 30;
constexpr std::size_t kMaxRanges = std::size_t{1} << 20;
constexpr std::size_t kPathPool = std::size_t{4} << 20;

/// Ascending, not overlapping.
ExecutableRange* ranges;
std::size_t range_count;
std::size_t last_found;  ///< by first_above

/// Paths, one behind the other, each once; never freed, as mapping records and ranges point there.
char* paths;
std::size_t paths_size;

const char* keep_path(const char* path) {
  if (path[0] == '\0') return "";
  for (std::size_t at = 0; at < paths_size; at += std::strlen(paths + at) + 1)
    if (is_same_text(paths + at, path)) return paths + at;
  const std::size_t size = std::strlen(path) + 1;
  if (!paths) paths = static_cast<char*>(reserve_memory(kPathPool));
  if (paths_size + size > kPathPool) return "";
  char* const kept = paths + paths_size;
  std::memcpy(kept, path, size);
  paths_size += size;
  return kept;
}

/// Index of the first range that ends above `address`.
std::size_t first_above(Word address) {
  // Mostly it is the range of the last time.
  if (last_found < range_count && ranges[last_found].start <= address &&
      address < ranges[last_found].end)
    return last_found;
  std::size_t first = 0, last = range_count;
  while (first < last) {
    const std::size_t middle = first + (last - first) / 2;
    if (ranges[middle].end <= address)
      first = middle + 1;
    else
      last = middle;
  }
  last_found = first;
  return first;
}

void insert_at(std::size_t index, const ExecutableRange& range) {
  BOPS_NATIVE_ASSERT(range_count < kMaxRanges);
  std::memmove(ranges + index + 1, ranges + index, (range_count - index) * sizeof ranges[0]);
  ranges[index] = range;
  ++range_count;
}

void erase_at(std::size_t index) {
  std::memmove(ranges + index, ranges + index + 1, (range_count - index - 1) * sizeof ranges[0]);
  --range_count;
}

/// Makes `address` a boundary if a range straddles it.
void split_at(Word address) {
  const std::size_t i = first_above(address);
  if (i == range_count || ranges[i].start >= address) return;
  ExecutableRange upper = ranges[i];
  upper.file_offset += address - upper.start;
  upper.start = address;
  ranges[i].end = address;
  insert_at(i + 1, upper);
}

bool may_join(const ExecutableRange& a, const ExecutableRange& b) {
  return a.end == b.start && a.mapping == b.mapping && a.writable == b.writable &&
         a.guarded == b.guarded && a.dormant == b.dormant && a.path == b.path &&
         a.device == b.device && a.inode == b.inode &&
         (a.path[0] == '\0' || a.file_offset + (a.end - a.start) == b.file_offset);
}

/// Joins neighbours within and around [start, end) that differ in nothing: a guest that protects
/// its code page by page must not fill the table.
void join(Word start, Word end) {
  std::size_t i = first_above(start > 0 ? start - 1 : 0);
  while (i + 1 < range_count && ranges[i].start <= end) {
    if (!may_join(ranges[i], ranges[i + 1])) {
      ++i;
      continue;
    }
    ranges[i].end = ranges[i + 1].end;
    erase_at(i + 1);
  }
}

/// Takes [start, end) out of the list, and leaves translations alone.
void cut(Word start, Word end) {
  split_at(start);
  split_at(end);
  const std::size_t first = first_above(start);
  std::size_t last = first;
  while (last < range_count && ranges[last].start < end) ++last;
  std::memmove(ranges + first, ranges + last, (range_count - last) * sizeof ranges[0]);
  range_count -= last - first;
}

/// Translations whose entry in the target table [start, end) shares were entered there unchecked.
void forget_aliases(Word start, Word end) {
  for (std::size_t i = 0; i < range_count; ++i) {
    const ExecutableRange& range = ranges[i];
    if (range.start == start || range.dormant) continue;
    // Distance modulo a GiB from one start to the other, in both directions.
    const Word ahead = (range.start - start) % kGiB, behind = (start - range.start) % kGiB;
    if (ahead < end - start || behind < range.end - range.start) invalidate(range.start, range.end);
  }
}

}  // namespace

void add_executable(const ExecutableRange& range) {
  if (range.start >= range.end) return;
  if (!ranges)
    ranges = static_cast<ExecutableRange*>(reserve_memory(kMaxRanges * sizeof ranges[0]));
  cut(range.start, range.end);
  const std::size_t i = first_above(range.start);
  insert_at(i, range);
  ranges[i].path = keep_path(range.path);
  if (!range.dormant) forget_aliases(range.start, range.end);
  join(range.start, range.end);
}

bool has_executables(Word start, Word end) {
  const std::size_t i = first_above(start);
  return i < range_count && ranges[i].start < end;
}

void remove_executable(Word start, Word end) {
  if (!has_executables(start, end)) return;
  cut(start, end);
  invalidate(start, end);
}

ExecutableRange* executable_at(Word address) {
  const std::size_t i = first_above(address);
  if (i == range_count || ranges[i].start > address || ranges[i].dormant) return nullptr;
  return &ranges[i];
}

bool is_aliased(Word address) {
  // Nearly always all code lies below a GiB, and nothing is aliased.
  if (range_count == 0 || (address < kGiB && ranges[range_count - 1].end <= kGiB)) return false;
  for (std::size_t i = 0; i < range_count; ++i) {
    const ExecutableRange& range = ranges[i];
    if (range.dormant) continue;
    const Word size = range.end - range.start, offset = (address - range.start) % kGiB;
    if (offset >= size) continue;
    const bool is_itself = range.start + offset == address;
    if (!is_itself || offset + kGiB < size) return true;
  }
  return false;
}

void put_executables_to_sleep(Word start, Word end) {
  if (!has_executables(start, end)) return;
  split_at(start);
  split_at(end);
  for (std::size_t i = first_above(start); i < range_count && ranges[i].start < end; ++i)
    ranges[i].dormant = true;
  join(start, end);
  invalidate(start, end);
}

bool wake_executables(Word start, Word end, bool writable) {
  Word covered = start;
  for (std::size_t i = first_above(start); i < range_count && ranges[i].start <= covered; ++i)
    covered = ranges[i].end;
  if (covered < end) return false;
  split_at(start);
  split_at(end);
  for (std::size_t i = first_above(start); i < range_count && ranges[i].start < end; ++i) {
    ExecutableRange& range = ranges[i];
    if ((writable && !range.writable) || range.guarded) invalidate(range.start, range.end);
    range.guarded = false;
    if (range.dormant) forget_aliases(range.start, range.end);
    range.writable = writable;
    range.dormant = false;
  }
  join(start, end);
  return true;
}

bool guard_code(Word address) {
  bool has_guarded = false;
  // An instruction may reach into the next page.
  const Word first = address / kPageSize * kPageSize;
  for (Word page = first; page <= first + kPageSize; page += kPageSize) {
    const ExecutableRange* const known = executable_at(page);
    if (!known || !known->writable || known->guarded) continue;
    if (page != first && address + BOPS_PROFILE_MAX_INSTRUCTION_SIZE <= page) continue;
    if (failed(kernel_call(__NR_mprotect, page, kPageSize, PROT_READ | PROT_EXEC))) continue;
    split_at(page);
    split_at(page + kPageSize);
    ranges[first_above(page)].guarded = true;
    join(page, page + kPageSize);
    has_guarded = true;
  }
  return has_guarded;
}

void release_code_in(Word start, Word end) {
  const Guard guard(engine.lock);
  for (Word at = start; at < end;) {
    const std::size_t i = first_above(at);
    if (i == range_count || ranges[i].start >= end) return;
    if (!ranges[i].guarded || ranges[i].start > at) {
      at = ranges[i].start > at ? ranges[i].start : ranges[i].end;
      continue;
    }
    release_written_code(at);
    at = at / kPageSize * kPageSize + kPageSize;
  }
}

bool release_written_code(Word address) {
  const ExecutableRange* const known = executable_at(address);
  if (!known || !known->writable) return false;
  if (!known->guarded) return true;  // another thread's write was first
  const Word page = address / kPageSize * kPageSize;
  split_at(page);
  split_at(page + kPageSize);
  ranges[first_above(page)].guarded = false;
  invalidate(page, page + kPageSize);
  kernel_call(__NR_mprotect, page, kPageSize, PROT_READ | PROT_WRITE | PROT_EXEC);
  join(page, page + kPageSize);
  return true;
}

void release_guarded_code() {
  for (std::size_t i = 0; i < range_count; ++i) {
    if (!ranges[i].guarded) continue;
    ranges[i].guarded = false;
    invalidate(ranges[i].start, ranges[i].end);
    if (ranges[i].dormant) continue;
    kernel_call(__NR_mprotect, ranges[i].start, ranges[i].end - ranges[i].start,
                PROT_READ | PROT_WRITE | PROT_EXEC);
  }
}

void read_executables_again(Word start, Word end) {
  ProcessMaps maps;
  if (!maps.is_readable()) return;
  remove_executable(start, end);
  for (MemoryMapping mapping{}; maps.next(mapping) && mapping.start < end;) {
    // What may be executed but not read, as [vsyscall], cannot be translated.
    if (mapping.end <= start || !mapping.executable || !mapping.readable) continue;
    const Word first = mapping.start < start ? start : mapping.start;
    const Word last = mapping.end > end ? end : mapping.end;
    if (is_engine_memory(first, last)) continue;
    add_executable({.start = first,
                    .end = last,
                    .file_offset = mapping.file_offset + (first - mapping.start),
                    .device = mapping.device,
                    .inode = mapping.inode,
                    .mapping = BOPS_PROFILE_NONE,
                    .writable = mapping.writable,
                    .dormant = false,
                    .path = mapping.path});
  }
}

}  // namespace bops::native
