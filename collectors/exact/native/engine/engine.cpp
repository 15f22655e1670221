#include "collectors/exact/native/engine/engine.hpp"

#include <asm/unistd.h>
#include <sys/mman.h>

#include <csignal>

#include "collectors/exact/native/engine/text.hpp"

namespace bops::native {

constinit Engine engine{};

namespace {

struct MemoryRange {
  Word start, end;
};

/// More than a process can have threads.
constexpr Word kMaxEngineRanges = Word{1} << 20;
MemoryRange* engine_ranges;
Word engine_range_count;  ///< written last, so that is_engine_memory needs no lock
Lock engine_range_lock;

/// 0 if there is none.
Word map_anonymous(Word size) {
  const std::int64_t at =
      kernel_call(__NR_mmap, 0, size, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, static_cast<Word>(-1), 0);
  return failed(at) ? 0 : static_cast<Word>(at);
}

/// Messages go into extents of their own, so that they can be written whoever holds the engine
/// lock. Nothing of a parent's may be written on after a fork: the process index tells.
profile_writer message_writer;
Lock message_lock;

void add_message(profile_writer& writer, const char* text) {
  std::size_t size = 0;
  while (text[size] != '\0') ++size;
  profile_writer_add_message(&writer, text, size);
}

}  // namespace

void* try_to_reserve_memory(Word size) {
  size = (size + kPageSize - 1) & ~(kPageSize - 1);
  const Word start = map_anonymous(size);
  if (start == 0) return nullptr;
  protect_engine_range(start, start + size);
  return reinterpret_cast<void*>(start);
}

void* reserve_memory(Word size) {
  void* const memory = try_to_reserve_memory(size);
  if (!memory) give_up("no memory");
  return memory;
}

void protect_engine_range(Word start, Word end) {
  const Guard guard(engine_range_lock);
  if (!engine_ranges) {
    const Word own = map_anonymous(kMaxEngineRanges * sizeof(MemoryRange));
    if (own == 0) give_up("no memory");
    engine_ranges = reinterpret_cast<MemoryRange*>(own);
    engine_ranges[0] = {own, own + kMaxEngineRanges * sizeof(MemoryRange)};
    engine_range_count = 1;
  }
  for (Word i = 1; i < engine_range_count; ++i)
    if (engine_ranges[i].end == 0) {  // given up
      engine_ranges[i].start = start;
      __atomic_store_n(&engine_ranges[i].end, end, __ATOMIC_RELEASE);
      return;
    }
  BOPS_NATIVE_ASSERT(engine_range_count < kMaxEngineRanges);
  engine_ranges[engine_range_count] = {start, end};
  __atomic_store_n(&engine_range_count, engine_range_count + 1, __ATOMIC_RELEASE);
}

void give_up_memory(Word start, Word size) {
  size = (size + kPageSize - 1) & ~(kPageSize - 1);
  {
    const Guard guard(engine_range_lock);
    for (Word i = 1; i < engine_range_count; ++i)
      if (engine_ranges[i].start == start && engine_ranges[i].end == start + size)
        __atomic_store_n(&engine_ranges[i].end, 0, __ATOMIC_RELEASE);
  }
  kernel_call(__NR_munmap, start, size);
}

void give_up_tables() {
  constexpr Word kSmallest = Word{1} << 20;
  const Guard guard(engine_range_lock);
  const Word code = word(&engine);
  for (Word i = 1; i < engine_range_count; ++i) {
    MemoryRange& range = engine_ranges[i];
    const bool is_own_image = range.start <= code && code < range.end;
    if (range.end == 0 || is_own_image || range.end - range.start < kSmallest) continue;
    kernel_call(__NR_munmap, range.start, range.end - range.start);
    range.end = 0;
  }
}

bool is_engine_memory(Word start, Word end) {
  const Word count = __atomic_load_n(&engine_range_count, __ATOMIC_ACQUIRE);
  for (Word i = 0; i < count; ++i)
    if (engine_ranges[i].start < end && start < engine_ranges[i].end) return true;
  return false;
}

void say(const char* text) {
  const Guard guard(message_lock);
  if (message_writer.header != engine.writer.header ||
      message_writer.process != engine.writer.process)
    message_writer =
        profile_writer{engine.writer.header, engine.writer.process, nullptr, nullptr, nullptr};
  add_message(message_writer, text);
}

void give_up(const char* text) {
  // Maybe with message_lock held: another extent.
  profile_writer last_words{engine.writer.header, engine.writer.process, nullptr, nullptr, nullptr};
  add_message(last_words, text);
  struct {
    Word handler, flags, restorer, mask;
  } const by_default = {};
  const Word abort_mask = Word{1} << (SIGABRT - 1);
  kernel_call(__NR_rt_sigaction, SIGABRT, word(&by_default), 0, sizeof abort_mask);
  kernel_call(__NR_rt_sigprocmask, SIG_UNBLOCK, word(&abort_mask), 0, sizeof abort_mask);
  const auto pid = static_cast<Word>(kernel_call(__NR_getpid));
  kernel_call(__NR_kill, pid, SIGABRT);
  for (;;) kernel_call(__NR_exit_group, 128 + SIGABRT);
}

bool read_guest_string(Word address, char* text, std::size_t size) {
  for (std::size_t done = 0; done < size;) {
    // Page by page: what follows the string may be unreadable.
    std::size_t part = kPageSize - (address + done) % kPageSize;
    if (part > size - done) part = size - done;
    if (!copy_guest(text + done, reinterpret_cast<const void*>(address + done), part)) return false;
    for (const std::size_t end = done + part; done < end; ++done)
      if (text[done] == '\0') return true;
  }
  return false;
}

}  // namespace bops::native
