#include "collectors/exact/native/engine/loader.hpp"

#include <asm/unistd.h>
#include <linux/prctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/resource.h>

#include "collectors/exact/native/engine/memory_map.hpp"
#include "collectors/exact/native/engine/text.hpp"
#include "collectors/exact/native/engine/vdso.hpp"

namespace bops::native {
namespace {

constexpr Word kMiB = Word{1} << 20, kGiB = Word{1} << 30;
constexpr Word kFirstCachePlace = kGiB, kLowEnd = 2 * kGiB;
constexpr Word kLargestCache = 512 * kMiB, kSmallestCache = 16 * kMiB;

/// What the kernel left on the stack.
struct InitialStack {
  Word* words;
  Word argc;
  char** argv;
  char** environment;
  Elf64_auxv_t* vector;
  Word vector_size;  ///< entries, AT_NULL included
};

InitialStack look_at(Word* stack) {
  InitialStack initial = {};
  initial.words = stack;
  initial.argc = stack[0];
  initial.argv = reinterpret_cast<char**>(stack + 1);
  initial.environment = initial.argv + initial.argc + 1;
  char** end = initial.environment;
  while (*end) ++end;
  initial.vector = reinterpret_cast<Elf64_auxv_t*>(end + 1);
  while (initial.vector[initial.vector_size++].a_type != AT_NULL) {
  }
  return initial;
}

Word find_in_vector(const InitialStack& initial, Word type) {
  for (Word i = 0; i < initial.vector_size; ++i)
    if (initial.vector[i].a_type == type) return initial.vector[i].a_un.a_val;
  return 0;
}

void put_into_vector(const InitialStack& initial, Word type, Word value) {
  for (Word i = 0; i < initial.vector_size; ++i)
    if (initial.vector[i].a_type == type) initial.vector[i].a_un.a_val = value;
}

void drop_from_vector(const InitialStack& initial, Word type) {
  for (Word i = 0; i < initial.vector_size; ++i)
    if (initial.vector[i].a_type == type) initial.vector[i] = {AT_IGNORE, {0}};
}

Word align(Word address, Word alignment) {
  return (address + alignment - 1) & ~(alignment - 1);
}

/// A place for a position-independent image: low if possible, else wherever the kernel likes.
Word choose_place(const ElfFile& file, const ElfSpan& span) {
  const Word size = span.end - span.start, slack = span.alignment - kPageSize;
  const Word low = propose_code_address(size + slack);
  if (low != 0) return align(low, span.alignment);
  const auto high =
      kernel_call(__NR_mmap, 0, size + slack, PROT_NONE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, static_cast<Word>(-1), 0);
  if (failed(high)) refuse_program(file.path, "there is no memory for it", high);
  kernel_call(__NR_munmap, static_cast<Word>(high), size + slack);
  return align(static_cast<Word>(high), span.alignment);
}

/// The cache's place depends on the program's: a large one takes all but what the smallest needs.
ElfImage place_program(const ElfFile& file) {
  const ElfSpan span = span_of(file);
  const bool is_fixed = file.header.e_type == ET_EXEC;
  // A position-independent program is put where it fits first; see propose_code_address.
  const Word start = is_fixed ? span.start : 4 * kMiB;
  const Word end = start + (span.end - span.start) + (is_fixed ? 0 : span.alignment);
  const Word largest = engine.cache_limit != 0 ? engine.cache_limit : kLargestCache;
  const Word smallest = largest < kSmallestCache ? largest : kSmallestCache;
  for (engine.cache_size = largest; engine.cache_size >= smallest; engine.cache_size /= 2) {
    engine.cache_place = choose_cache_place(engine.cache_size, start, end);
    if (engine.cache_place != 0) break;
  }
  if (engine.cache_place == 0 && !is_fixed)  // it goes high then
    engine.cache_place = choose_cache_place(engine.cache_size = largest, 0, 0);
  if (engine.cache_place == 0)
    refuse_program(file.path, "it leaves no room below 2 GiB for translated code");
  reserve_low_range(engine.cache_place, engine.cache_place + engine.cache_size);
  return map_elf(file, is_fixed ? span.start : choose_place(file, span));
}

ElfImage load_interpreter(const char* path) {
  ElfFile file;
  open_elf(path, file);
  const ElfSpan span = span_of(file);
  const ElfImage image =
      map_elf(file, file.header.e_type == ET_EXEC ? span.start : choose_place(file, span));
  kernel_call(__NR_close, static_cast<Word>(file.descriptor));
  return image;
}

/// The engine's own stack is not executable, so the guest's is not either unless it wants that.
void make_stack_executable(const ElfFile& file, Word stack) {
  bool wanted = false;
  for (unsigned i = 0; i < file.header.e_phnum; ++i)
    if (file.segments[i].p_type == PT_GNU_STACK) wanted = (file.segments[i].p_flags & PF_X) != 0;
  if (!wanted) return;
  constexpr Word kStackProtection = PROT_READ | PROT_WRITE | PROT_EXEC;
  const Word arguments[6] = {stack & ~(kPageSize - 1), kPageSize,
                             kStackProtection | PROT_GROWSDOWN};
  const auto result = memory_system_call(__NR_mprotect, arguments);
  if (failed(result)) refuse_program(file.path, "its stack cannot be made executable", result);
}

/// Far above everything else, as where the kernel puts programs; its 32 MiB of randomness.
Word choose_heap(const InitialStack& initial) {
  constexpr Word kHeap = 0x560000000000, kAsk = 0xffffffff, kRandomPages = 8192;
  const auto persona = kernel_call(__NR_personality, kAsk);
  const Word random = find_in_vector(initial, AT_RANDOM);
  if (failed(persona) || (persona & ADDR_NO_RANDOMIZE) != 0 || random == 0) return kHeap;
  // Not the bytes themselves: the guest relies on their being secret.
  const Word mixed = *reinterpret_cast<const Word*>(random) * 0x9e3779b97f4a7c15;
  return kHeap + (mixed >> 51) % kRandomPages * kPageSize;
}

/// What the kernel shows in /proc/self: the command line, the vector, the heap. The strings lie one
/// behind the other: arguments, environment, then the name at `strings_end`.
void tell_kernel(const InitialStack& initial, const ElfImage& image, Word guest_stack,
                 Word strings_end) {
  const char* const argument = initial.argv[kGuestWords];
  const char* const variable = initial.environment[0];
  const Word environment = variable ? word(variable) : strings_end;
  const Word heap = choose_heap(initial);
  prctl_mm_map map = {};
  map.start_code = image.code_start;
  map.end_code = image.code_end;
  map.start_data = image.data_start < image.data_end ? image.data_start : image.data_end;
  map.end_data = image.data_end;
  map.start_brk = map.brk = heap;
  map.start_stack = guest_stack;
  map.arg_start = argument ? word(argument) : environment;
  map.arg_end = environment;
  map.env_start = environment;
  map.env_end = strings_end;
  map.auxv = reinterpret_cast<__u64*>(initial.vector);
  map.auxv_size = static_cast<__u32>(initial.vector_size * sizeof initial.vector[0]);
  map.exe_fd = static_cast<__u32>(-1);
  const auto result = kernel_call(__NR_prctl, PR_SET_MM, PR_SET_MM_MAP, word(&map), sizeof map);
  if (failed(result)) emulate_heap();
}

/// As execve names the process (since Linux 6.14 also for fexecve: by the file, not the number).
void set_process_name(const char* execfn, const char* program) {
  const char* const descriptor = after_prefix(execfn, "/dev/fd/");
  const bool is_descriptor = descriptor && base_name(descriptor) == descriptor;
  char name[kPathMax];  // the kernel cuts it
  Text(name, sizeof name) << base_name(is_descriptor ? program : execfn);
  if (const char* const suffix = find_suffix(name, kDeleted)) name[suffix - name] = '\0';
  kernel_call(__NR_prctl, PR_SET_NAME, word(name));
}

}  // namespace

Word choose_cache_place(Word size, Word program_start, Word program_end) {
  constexpr Word kStep = 2 * kMiB;
  Word place = kFirstCachePlace;
  if (program_start < place + size && place < program_end) place = align(program_end, kStep);
  return place + size <= kLowEnd ? place : 0;
}

Start load_program(Word* stack, const ElfFile& program) {
  const InitialStack initial = look_at(stack);
  const ElfImage image = place_program(program);
  Start start = {.pc = image.entry, .rsp = word(stack + kGuestWords)};
  Word base = 0;
  char interpreter[kPathMax];
  if (read_interpreter(program, interpreter)) {
    const ElfImage loader = load_interpreter(interpreter);
    base = loader.bias;
    start.pc = loader.entry;
  }
  make_stack_executable(program, start.rsp);

  // The engine's words are as many as keep the stack aligned: the guest's vectors stay in place.
  static_assert(kGuestWords * sizeof(Word) % 16 == 0);
  stack[kGuestWords] = initial.argc - kGuestWords;
  put_into_vector(initial, AT_PHDR, image.program_headers);
  put_into_vector(initial, AT_PHNUM, program.header.e_phnum);
  put_into_vector(initial, AT_PHENT, sizeof(Elf64_Phdr));
  put_into_vector(initial, AT_BASE, base);
  put_into_vector(initial, AT_ENTRY, image.entry);
  const char* const execfn = initial.argv[kExecfnWord];
  const Word vdso = move_vdso();
  if (vdso != 0)
    put_into_vector(initial, AT_SYSINFO_EHDR, vdso);
  else
    drop_from_vector(initial, AT_SYSINFO_EHDR);
  const Word strings_end = find_in_vector(initial, AT_EXECFN);
  put_into_vector(initial, AT_EXECFN, word(execfn));
  tell_kernel(initial, image, start.rsp, strings_end);
  set_process_name(execfn, program.path);
  kernel_call(__NR_close, static_cast<Word>(program.descriptor));
  return start;
}

}  // namespace bops::native
