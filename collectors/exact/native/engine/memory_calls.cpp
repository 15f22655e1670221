/// The guest's calls that change its memory. Before memory goes or stops being executable, it is
/// taken from the list of executable ranges, so that no thread enters code that is no longer there;
/// memory that becomes executable is listed once it is. Where a call fails, or does something that
/// it would take the kernel's own code to foresee, the list is read again from /proc/self/maps.
#include <asm/unistd.h>
#include <fcntl.h>
#include <linux/shm.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>

#include "collectors/exact/native/engine/code_cache.hpp"
#include "collectors/exact/native/engine/memory_map.hpp"
#include "collectors/exact/native/engine/process_maps.hpp"
#include "collectors/exact/native/engine/text.hpp"

namespace bops::native {
namespace {

constexpr Word kMiB = Word{1} << 20;

Word page_up(Word address) {
  return (address + kPageSize - 1) & ~(kPageSize - 1);
}

/// Carries `call` out while [start, end) is taken from the list, if any of it is there.
template <class Call>
std::int64_t take_away(Word start, Word end, Call call) {
  if (end < start) return call();  // the kernel refuses it
  {
    const Guard guard(engine.lock);
    if (has_executables(start, end)) {
      remove_executable(start, end);
      const std::int64_t result = call();
      if (failed(result)) read_executables_again(start, end);
      return result;
    }
  }
  // Not executable, and nobody else may make it so while the guest gives it away.
  return call();
}

// ---- mmap ----

struct Mapping {
  Word address, size, protection, flags, descriptor, offset;

  [[nodiscard]] std::int64_t map() const {
    return kernel_call(__NR_mmap, address, size, protection, flags, descriptor, offset);
  }
  [[nodiscard]] bool has(Word flag) const { return (flags & flag) == flag; }
  [[nodiscard]] bool is_fixed() const { return (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) != 0; }
};

/// Dynamic loaders reserve room for a whole library by mapping its file from the start.
bool is_library(const Mapping& mapping) {
  if (mapping.has(MAP_ANONYMOUS) || mapping.has(MAP_SHARED) || mapping.offset != 0) return false;
  struct stat status {};
  if (kernel_call(__NR_fstat, mapping.descriptor, word(&status)) != 0 || !S_ISREG(status.st_mode))
    return false;  // reading from a device may do something
  std::uint32_t magic = 0;
  constexpr std::uint32_t kElfMagic = 0x464c457f;
  const auto size = kernel_call(__NR_pread64, mapping.descriptor, word(&magic), sizeof magic, 0);
  return size == sizeof magic && magic == kElfMagic;
}

/// Virtual machines reserve room for the code that they generate; so do dynamic loaders for
/// libraries that are aligned to more than a page. glibc's heaps (128 MiB at most) and thread
/// stacks tell the kernel by their flags that they are none.
bool is_code_reservation(const Mapping& mapping) {
  constexpr Word kSmallestArena = 160 * kMiB, kLargestArena = 640 * kMiB;
  constexpr Word kSmallestLibrary = 2 * kMiB, kLargestLibrary = 64 * kMiB;
  if (!mapping.has(MAP_ANONYMOUS) || !mapping.has(MAP_PRIVATE) || mapping.protection != PROT_NONE)
    return false;
  if (mapping.size >= kSmallestArena && mapping.size <= kLargestArena) return true;
  return mapping.address == 0 && mapping.flags == (MAP_ANONYMOUS | MAP_PRIVATE) &&
         mapping.size > kSmallestLibrary && mapping.size <= kLargestLibrary;
}

bool is_to_be_low(const Mapping& mapping) {
  if (mapping.is_fixed() || (mapping.flags & (MAP_32BIT | MAP_GROWSDOWN | MAP_HUGETLB)) != 0)
    return false;
  return (mapping.protection & PROT_EXEC) != 0 || is_code_reservation(mapping) ||
         is_library(mapping);
}

/// Maps at a proposed address; where the guest has a wish, only if the kernel would not fulfil it.
std::int64_t map_low(const Mapping& wanted) {
  Mapping mapping = wanted;
  mapping.flags |= MAP_FIXED_NOREPLACE;
  const auto try_at = [&mapping](Word address) {
    mapping.address = address;
    const std::int64_t result = mapping.map();
    const bool elsewhere = !failed(result) && static_cast<Word>(result) != address;
    if (elsewhere)  // before Linux 4.17
      kernel_call(__NR_munmap, static_cast<Word>(result), mapping.size);
    return elsewhere ? -EEXIST : result;
  };
  if (wanted.address != 0) {
    const std::int64_t result = try_at(page_up(wanted.address));
    if (!failed(result)) return result;
  }
  constexpr int kTries = 8;
  for (int i = 0; i < kTries; ++i) {
    const Word place = propose_code_address(wanted.size);
    if (place == 0) break;
    const std::int64_t result = try_at(place);
    if (result != -EEXIST) {
      if (failed(result)) break;
      return result;
    }
  }
  return wanted.map();  // anywhere, or the kernel's reason why not
}

void add_mapping(const Mapping& mapping, Word start) {
  ExecutableRange range = {.start = start,
                           .end = start + page_up(mapping.size),
                           .file_offset = 0,
                           .device = 0,
                           .inode = 0,
                           .mapping = BOPS_PROFILE_NONE,
                           .writable = (mapping.protection & PROT_WRITE) != 0,
                           .dormant = false,
                           .path = ""};
  char path[kPathMax] = "";
  struct stat status {};
  if (!mapping.has(MAP_ANONYMOUS) &&
      kernel_call(__NR_fstat, mapping.descriptor, word(&status)) == 0) {
    range.file_offset = mapping.offset;
    range.device = status.st_dev;
    range.inode = status.st_ino;
    char link[64];
    Text(link, sizeof link) << "/proc/self/fd/" << mapping.descriptor;
    const auto size = kernel_call(__NR_readlink, word(link), word(path), sizeof path - 1);
    path[size > 0 ? size : 0] = '\0';
    range.path = path;
  }
  add_executable(range);
}

std::int64_t map_memory(const Word arguments[6]) {
  Mapping mapping = {arguments[0], arguments[1], arguments[2],
                     arguments[3], arguments[4], arguments[5]};
  const Word end = mapping.address + page_up(mapping.size);
  const bool replaces = mapping.has(MAP_FIXED) && !mapping.has(MAP_FIXED_NOREPLACE);
  if (replaces && is_engine_memory(mapping.address, end)) return -ENOMEM;
  const bool executable = (mapping.protection & PROT_EXEC) != 0;
  const bool low = is_to_be_low(mapping);
  if (!executable && !low) {
    if (!replaces) return mapping.map();
    return take_away(mapping.address, end, [&mapping] { return mapping.map(); });
  }
  const Guard guard(engine.lock);
  if (executable) mapping.protection |= PROT_READ;  // execute-only code must be readable to us
  if (replaces) remove_executable(mapping.address, end);
  const std::int64_t result = low ? map_low(mapping) : mapping.map();
  if (failed(result)) {
    if (replaces) read_executables_again(mapping.address, end);
  } else if (executable) {
    add_mapping(mapping, static_cast<Word>(result));
  }
  return result;
}

// ---- protection ----

/// PROT_GROWSDOWN: from the start of the stack's mapping, and what it will grow by later.
Word start_of_stack(Word address) {
  constexpr Word kLargestStack = 256 * kMiB;
  struct {
    Word now, most;
  } limit = {};
  constexpr Word kStackLimit = 3;
  kernel_call(__NR_prlimit64, 0, kStackLimit, 0, word(&limit));
  ProcessMaps maps;
  for (MemoryMapping mapping{}; maps.next(mapping);) {
    if (address < mapping.start || address >= mapping.end) continue;
    const Word room = limit.now < kLargestStack ? limit.now : kLargestStack;
    return mapping.end - room < mapping.start ? mapping.end - room : mapping.start;
  }
  return address;
}

/// mprotect and pkey_mprotect.
std::int64_t protect_memory(std::int64_t number, const Word arguments[6]) {
  Word start = arguments[0];
  const Word end = start + page_up(arguments[1]);
  Word protection = arguments[2];
  const auto protect = [&] {
    return kernel_call(number, arguments[0], arguments[1], protection, arguments[3]);
  };
  if (start % kPageSize != 0 || end <= start) return protect();
  if (is_engine_memory(start, end)) return -ENOMEM;
  const bool executable = (protection & PROT_EXEC) != 0;
  const Guard guard(engine.lock);
  if (!executable && !has_executables(start, end)) return protect();
  if (executable) protection |= PROT_READ;
  const bool grows_down = (protection & PROT_GROWSDOWN) != 0;
  if (grows_down) start = start_of_stack(start);
  if (!executable) put_executables_to_sleep(start, end);
  const std::int64_t result = protect();
  if (failed(result)) {
    read_executables_again(start, end);  // it may have changed a part
    return result;
  }
  const bool writable = (protection & PROT_WRITE) != 0;
  if (!executable || wake_executables(start, end, writable)) return result;
  read_executables_again(start, end);
  const bool unread = !executable_at(arguments[0]);
  if (grows_down || unread)
    add_executable(
        {.start = start, .end = end, .writable = writable, .path = grows_down ? "[stack]" : ""});
  return result;
}

// ---- other calls ----

std::int64_t move_memory(const Word arguments[6]) {
  const Word start = arguments[0], old_size = page_up(arguments[1]), size = page_up(arguments[2]);
  const bool is_fixed = (arguments[3] & MREMAP_FIXED) != 0;
  const Word target = is_fixed ? arguments[4] : start;
  if (is_engine_memory(start, start + (old_size > 0 ? old_size : 1)) ||
      (is_fixed && is_engine_memory(target, target + size)))
    return -EFAULT;
  const auto move = [&] {
    return kernel_call(__NR_mremap, start, arguments[1], arguments[2], arguments[3], arguments[4]);
  };
  const Guard guard(engine.lock);
  // A size of 0 makes a second mapping of shared memory.
  const bool moves_code = has_executables(start, start + (old_size > 0 ? old_size : kPageSize));
  if (!moves_code && !(is_fixed && has_executables(target, target + size))) return move();
  remove_executable(start, start + old_size);
  if (is_fixed) remove_executable(target, target + size);
  const std::int64_t result = move();
  read_executables_again(start, start + old_size);
  if (is_fixed) read_executables_again(target, target + size);
  if (!failed(result))
    read_executables_again(static_cast<Word>(result), static_cast<Word>(result) + size);
  return result;
}

/// Private pages become what the file holds, or zeros.
std::int64_t advise(const Word arguments[6]) {
  constexpr Word kFree = 8, kRemove = 9, kDontNeedLocked = 24;
  const Word start = arguments[0], end = start + page_up(arguments[1]), advice = arguments[2];
  const auto call = [&] { return kernel_call(__NR_madvise, start, arguments[1], advice); };
  if (end <= start) return call();
  if (is_engine_memory(start, end)) return -ENOMEM;
  if (advice != MADV_DONTNEED && advice != kFree && advice != kRemove && advice != kDontNeedLocked)
    return call();
  const std::int64_t result = call();
  const Guard guard(engine.lock);
  if (has_executables(start, end)) invalidate(start, end);
  return result;
}

/// The mapping that starts at `address`, or an empty range.
MemoryMapping mapping_at(Word address) {
  ProcessMaps maps;
  for (MemoryMapping mapping{}; maps.next(mapping);)
    if (mapping.start == address) return mapping;
  return {};
}

Word segment_size(Word identifier) {
  shmid64_ds segment = {};
  const auto result = kernel_call(__NR_shmctl, identifier, IPC_STAT, word(&segment));
  return failed(result) ? 0 : page_up(segment.shm_segsz);
}

std::int64_t attach_segment(const Word arguments[6]) {
  const Word address = arguments[1], flags = arguments[2];
  const auto attach = [&] { return kernel_call(__NR_shmat, arguments[0], address, flags); };
  const bool replaces = (flags & SHM_REMAP) != 0 && address != 0;
  const bool executable = (flags & SHM_EXEC) != 0;
  if (!replaces && !executable) return attach();
  const Word size = segment_size(arguments[0]);
  if (replaces && is_engine_memory(address, address + size)) return -EINVAL;
  const Guard guard(engine.lock);
  if (replaces) remove_executable(address, address + size);
  const std::int64_t result = attach();
  const Word start = failed(result) ? address : static_cast<Word>(result);
  read_executables_again(start, start + size);
  return result;
}

std::int64_t detach_segment(const Word arguments[6]) {
  const Word address = arguments[0];
  if (is_engine_memory(address, address + 1)) return -EINVAL;
  Word end = 0;
  {
    const Guard guard(engine.lock);
    if (executable_at(address)) end = mapping_at(address).end;
  }
  return take_away(address, end == 0 ? address : end,
                   [address] { return kernel_call(__NR_shmdt, address); });
}

std::int64_t unmap_memory(const Word arguments[6]) {
  const Word start = arguments[0], end = start + page_up(arguments[1]);
  if (start < end && is_engine_memory(start, end)) return -EINVAL;
  return take_away(start, end,
                   [&] { return kernel_call(__NR_munmap, arguments[0], arguments[1]); });
}

// ---- the heap ----

/// Where the kernel does not help: `start` to `limit` is reserved, up to `mapped` it is usable.
struct Heap {
  Word start, now, mapped, limit;
} heap;

std::int64_t change_emulated_heap(Word wanted) {
  if (wanted < heap.start || wanted > heap.limit) return static_cast<std::int64_t>(heap.now);
  const Word end = page_up(wanted);
  const auto map = [](Word start, Word size, Word protection) {
    return kernel_call(
        __NR_mmap, start, size, protection,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | (protection == PROT_NONE ? MAP_NORESERVE : 0),
        static_cast<Word>(-1), 0);
  };
  if (end > heap.mapped && failed(map(heap.mapped, end - heap.mapped, PROT_READ | PROT_WRITE)))
    return static_cast<std::int64_t>(heap.now);
  if (end < heap.mapped) {
    remove_executable(end, heap.mapped);
    map(end, heap.mapped - end, PROT_NONE);
  }
  heap.mapped = end;
  heap.now = wanted;
  return static_cast<std::int64_t>(wanted);
}

std::int64_t change_heap(Word wanted) {
  const Guard guard(engine.lock);
  if (heap.start != 0) return change_emulated_heap(wanted);
  static Word start, last;
  if (start == 0) start = last = static_cast<Word>(kernel_call(__NR_brk, 0));
  if (wanted >= start && wanted < last) remove_executable(page_up(wanted), page_up(last));
  const std::int64_t result = kernel_call(__NR_brk, wanted);
  last = static_cast<Word>(result);
  return result;
}

}  // namespace

void emulate_heap() {
  constexpr Word kRoom = Word{64} << 30, kLeastRoom = Word{1} << 30;
  for (Word size = kRoom; size >= kLeastRoom && heap.start == 0; size /= 2) {
    const auto start =
        kernel_call(__NR_mmap, 0, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                    static_cast<Word>(-1), 0);
    if (failed(start)) continue;
    heap.start = heap.now = heap.mapped = static_cast<Word>(start);
    heap.limit = heap.start + size;
  }
}

std::int64_t memory_system_call(std::int64_t number, const Word arguments[6]) {
  switch (number) {
    case __NR_mmap: return map_memory(arguments);
    case __NR_munmap: return unmap_memory(arguments);
    case __NR_mprotect:
    case __NR_pkey_mprotect: return protect_memory(number, arguments);
    case __NR_mremap: return move_memory(arguments);
    case __NR_brk: return change_heap(arguments[0]);
    case __NR_madvise: return advise(arguments);
    case __NR_shmat: return attach_segment(arguments);
    case __NR_shmdt: return detach_segment(arguments);
    default: give_up("memory_system_call: not one of its calls");
  }
}

}  // namespace bops::native
