/// From the kernel's hands to the guest's first instruction.
#include <asm/unistd.h>
#include <fcntl.h>
#include <sys/mman.h>

#include <cstring>

#include "collectors/exact/native/engine/loader.hpp"
#include "collectors/exact/native/engine/text.hpp"

#pragma GCC visibility push(hidden)
extern "C" {
// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): the linker's names
/// Where the engine lies in memory, and its dynamic section.
extern const char __ehdr_start[];
extern const char _end[];
extern const Elf64_Dyn _DYNAMIC[];
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)

[[noreturn]] void boot(bops::native::Word* stack);
}
#pragma GCC visibility pop

namespace bops::native {

/// Runs the guest from `start` on; see dispatch.cpp.
[[noreturn]] void run_guest(const Start& start);

namespace {

/// The engine is position-independent and nobody's to relocate but its own. Before this, no
/// initialised pointer may be used.
void relocate() {
  const Word base = word(__ehdr_start);
  Word table = 0, size = 0;
  for (const Elf64_Dyn* entry = _DYNAMIC; entry->d_tag != DT_NULL; ++entry) {
    if (entry->d_tag == DT_RELA) table = base + entry->d_un.d_ptr;
    if (entry->d_tag == DT_RELASZ) size = entry->d_un.d_val;
  }
  const auto* const relocations = reinterpret_cast<const Elf64_Rela*>(table);
  for (Word i = 0; i < size / sizeof relocations[0]; ++i)
    // NOLINTNEXTLINE(clang-analyzer-core.NullDereference): without a table there are none
    if (ELF64_R_TYPE(relocations[i].r_info) == R_X86_64_RELATIVE)
      *reinterpret_cast<Word*>(base + relocations[i].r_offset) =
          base + static_cast<Word>(relocations[i].r_addend);
}

void find_engine(const char* called) {
  const auto size = kernel_call(__NR_readlink, word("/proc/self/exe"), word(engine.paths.engine),
                                sizeof engine.paths.engine - 1);
  if (size > 0)
    engine.paths.engine[size] = '\0';
  else
    Text(engine.paths.engine, sizeof engine.paths.engine) << called;
}

/// "NAME=HEX:" at the start of `text`. True: `text` is what follows.
bool take_number(const char*& text, const char* name, Word& number) {
  const char* digit = after_prefix(text, name);
  if (!digit) return false;
  number = 0;
  for (; *digit != ':' && *digit != '\0'; ++digit)
    number = number << 4 | static_cast<Word>(*digit <= '9' ? *digit - '0' : *digit - 'a' + 10);
  text = *digit == ':' ? digit + 1 : digit;
  return true;
}

/// The path of the profile, behind the signal mask that an exec has kept for the guest.
const char* take_options(const char* text) {
  engine.has_first_mask = take_number(text, "mask=", engine.first_mask);
  take_number(text, "cache=", engine.cache_limit);
  return text;
}

void open_profile(const char* path) {
  Text(engine.paths.profile, sizeof engine.paths.profile) << path;
  if (!profile_writer_open(&engine.writer, path))
    refuse_program(path, "the profile cannot be mapped");
  const Word start = word(engine.writer.header);
  protect_engine_range(start, start + engine.writer.header->capacity);
}

/// PROGRAM is a path, or fd:N.
void open_program(const char* name, ElfFile& program) {
  const char* digit = after_prefix(name, "fd:");
  if (!digit) return open_elf(name, program);
  int descriptor = 0;
  for (; *digit >= '0' && *digit <= '9'; ++digit) descriptor = descriptor * 10 + (*digit - '0');
  read_elf(descriptor, name, program);
}

[[noreturn]] void start_guest(Word* stack) {
  char** const argv = reinterpret_cast<char**>(stack + 1);
  if (stack[0] < kGuestWords)
    refuse_program("a program", "it is not named: bops starts the engine");
  protect_engine_range(word(__ehdr_start), (word(_end) + kPageSize - 1) & ~(kPageSize - 1));
  find_engine(argv[kEngineWord]);
  open_profile(take_options(argv[kProfileWord]));
  static ElfFile program;
  open_program(argv[kProgramWord], program);
  std::memcpy(engine.paths.program, program.path, sizeof engine.paths.program);
  engine.program_device = program.device;
  engine.program_inode = program.inode;
  engine.process = profile_writer_start_process(
      &engine.writer, static_cast<pid_t>(kernel_call(__NR_getpid)),
      static_cast<pid_t>(kernel_call(__NR_getppid)), program.path, std::strlen(program.path));
  run_guest(load_program(stack, program));
}

}  // namespace
}  // namespace bops::native

void boot(bops::native::Word* stack) {
  bops::native::relocate();
  bops::native::start_guest(stack);
}
