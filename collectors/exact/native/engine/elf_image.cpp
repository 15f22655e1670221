/// As fs/binfmt_elf.c loads segments since Linux 6.6 (elf_load).
#include "collectors/exact/native/engine/elf_image.hpp"

#include <asm/unistd.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cstring>

#include "collectors/exact/native/engine/memory_map.hpp"
#include "collectors/exact/native/engine/text.hpp"

namespace bops::native {
namespace {

/// Linux refuses more (load_elf_phdrs).
constexpr Word kMaxHeaderBytes = 65536;

Word page_down(Word address) {
  return address & ~(kPageSize - 1);
}
Word page_up(Word address) {
  return (address + kPageSize - 1) & ~(kPageSize - 1);
}

int protection_of(const Elf64_Phdr& segment) {
  return ((segment.p_flags & PF_R) != 0 ? PROT_READ : 0) |
         ((segment.p_flags & PF_W) != 0 ? PROT_WRITE : 0) |
         ((segment.p_flags & PF_X) != 0 ? PROT_EXEC : 0);
}

void add_code(const ElfFile& file, Word start, Word end, Word offset, bool writable, bool is_file) {
  add_executable({.start = start,
                  .end = end,
                  .file_offset = is_file ? offset : 0,
                  .device = is_file ? file.device : 0,
                  .inode = is_file ? file.inode : 0,
                  .mapping = BOPS_PROFILE_NONE,
                  .writable = writable,
                  .dormant = false,
                  .path = is_file ? file.path : ""});
}

void map_at(const ElfFile& file, Word start, Word size, int protection, int flags, int descriptor,
            Word offset) {
  // Code must stay readable to the engine.
  if ((protection & PROT_EXEC) != 0) protection |= PROT_READ;
  const auto result = kernel_call(__NR_mmap, start, size, static_cast<Word>(protection),
                                  static_cast<Word>(MAP_PRIVATE | MAP_FIXED | flags),
                                  static_cast<Word>(descriptor), offset);
  if (failed(result)) refuse_program(file.path, "a segment cannot be mapped", result);
}

/// The part that the file gives, and behind it zeros: the rest of its last page if that is
/// writable, then pages that are writable whatever the segment says.
void map_segment(const ElfFile& file, const Elf64_Phdr& segment, Word bias) {
  const int protection = protection_of(segment);
  const bool executable = (protection & PROT_EXEC) != 0, writable = (protection & PROT_WRITE) != 0;
  const Word address = segment.p_vaddr + bias, start = page_down(address);
  Word zeros = address + segment.p_filesz;
  const Word zeros_end = address + segment.p_memsz;
  if (segment.p_filesz > 0) {
    const Word offset = segment.p_offset - (address - start);
    map_at(file, start, page_up(zeros) - start, protection, 0, file.descriptor, offset);
    if (executable) add_code(file, start, page_up(zeros), offset, writable, true);
    if (zeros_end > zeros && writable)
      std::memset(reinterpret_cast<void*>(zeros), 0, page_up(zeros) - zeros);
    zeros = page_up(zeros);
  } else {
    zeros = start;
  }
  if (page_up(zeros_end) <= zeros || segment.p_memsz <= segment.p_filesz) return;
  const int extra = executable ? PROT_EXEC : 0;
  map_at(file, zeros, page_up(zeros_end) - zeros, PROT_READ | PROT_WRITE | extra, MAP_ANONYMOUS, -1,
         0);
  if (executable) add_code(file, zeros, page_up(zeros_end), 0, true, false);
}

/// Gives back what lies in [start, end) between the segments.
void free_holes(const ElfFile& file, Word start, Word end, Word bias) {
  while (start < end) {
    Word hole_end = end, covered_end = start;
    for (unsigned i = 0; i < file.header.e_phnum; ++i) {
      const Elf64_Phdr& segment = file.segments[i];
      if (segment.p_type != PT_LOAD || segment.p_memsz == 0) continue;
      const Word first = page_down(segment.p_vaddr + bias);
      const Word last = page_up(segment.p_vaddr + bias + segment.p_memsz);
      if (first <= start && last > covered_end) covered_end = last;
      if (first > start && first < hole_end) hole_end = first;
    }
    if (covered_end == start) {
      kernel_call(__NR_munmap, start, hole_end - start);
      covered_end = hole_end;
    }
    start = covered_end;
  }
}

void read_fully(const ElfFile& file, void* to, Word size, Word offset) {
  const auto result =
      kernel_call(__NR_pread64, static_cast<Word>(file.descriptor), word(to), size, offset);
  if (result != static_cast<std::int64_t>(size)) refuse_program(file.path, "it is cut short");
}

}  // namespace

void refuse_program(const char* name, const char* reason, std::int64_t error) {
  char line[kPathMax + 256];
  Text text(line, sizeof line - 1);
  text << "cannot load " << name << ": " << reason;
  if (error < 0) text << " (errno " << static_cast<Word>(-error) << ")";
  say(line);
  char message[sizeof line + 32];
  Text whole(message, sizeof message);
  whole << "bops: native engine: " << line << "\n";
  constexpr Word kStandardError = 2, kFailed = 125;
  kernel_call(__NR_write, kStandardError, word(message), whole.size());
  for (;;) kernel_call(__NR_exit_group, kFailed);
}

void read_elf(int descriptor, const char* name, ElfFile& file) {
  file.descriptor = descriptor;
  // Until the kernel's name for it is known.
  Text(file.path, sizeof file.path) << name;
  char link[64];
  Text(link, sizeof link) << "/proc/self/fd/" << static_cast<Word>(descriptor);
  char path[kPathMax];
  const auto size = kernel_call(__NR_readlink, word(link), word(path), sizeof path - 1);
  if (size > 0) {
    path[size] = '\0';
    Text(file.path, sizeof file.path) << path;
  }
  struct stat status {};
  kernel_call(__NR_fstat, static_cast<Word>(descriptor), word(&status));
  file.device = status.st_dev;
  file.inode = status.st_ino;
  read_fully(file, &file.header, sizeof file.header, 0);
  if (std::memcmp(file.header.e_ident, ELFMAG, SELFMAG) != 0 ||
      file.header.e_ident[EI_CLASS] != ELFCLASS64 || file.header.e_machine != EM_X86_64 ||
      (file.header.e_type != ET_EXEC && file.header.e_type != ET_DYN))
    refuse_program(file.path, "it is no x86-64 program");
  const Word bytes = Word{file.header.e_phnum} * sizeof(Elf64_Phdr);
  if (file.header.e_phentsize != sizeof(Elf64_Phdr) || bytes == 0 || bytes > kMaxHeaderBytes)
    refuse_program(file.path, "its program headers are invalid");
  auto* const segments = static_cast<Elf64_Phdr*>(reserve_memory(bytes));
  read_fully(file, segments, bytes, file.header.e_phoff);
  file.segments = segments;
}

void open_elf(const char* path, ElfFile& file) {
  const auto descriptor = kernel_call(__NR_open, word(path), O_RDONLY | O_CLOEXEC);
  if (failed(descriptor)) refuse_program(path, "it cannot be opened", descriptor);
  read_elf(static_cast<int>(descriptor), path, file);
}

ElfSpan span_of(const ElfFile& file) {
  ElfSpan span = {.start = ~Word{0}, .end = 0, .alignment = kPageSize};
  for (unsigned i = 0; i < file.header.e_phnum; ++i) {
    const Elf64_Phdr& segment = file.segments[i];
    if (segment.p_type != PT_LOAD || segment.p_memsz == 0) continue;
    const Word end = segment.p_vaddr + segment.p_memsz;
    if (end < segment.p_vaddr || end > Word{1} << 47 || segment.p_filesz > segment.p_memsz ||
        (segment.p_vaddr - segment.p_offset) % kPageSize != 0)
      refuse_program(file.path, "a segment is invalid");
    if (segment.p_vaddr < span.start) span.start = page_down(segment.p_vaddr);
    if (end > span.end) span.end = page_up(end);
    const bool is_power_of_two = (segment.p_align & (segment.p_align - 1)) == 0;
    if (is_power_of_two && segment.p_align > span.alignment) span.alignment = segment.p_align;
  }
  if (span.end == 0) refuse_program(file.path, "it has no segments");
  return span;
}

ElfImage map_elf(const ElfFile& file, Word start) {
  const ElfSpan span = span_of(file);
  // The whole range must be free, and stay so while the engine takes memory for itself.
  const auto whole = kernel_call(__NR_mmap, start, span.end - span.start, PROT_NONE,
                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE,
                                 static_cast<Word>(-1), 0);
  if (whole != static_cast<std::int64_t>(start))
    refuse_program(file.path, "the addresses that it is linked to cannot be had", whole);

  ElfImage image = {};
  image.bias = start - span.start;
  image.entry = file.header.e_entry + image.bias;
  image.code_start = ~Word{0};
  for (unsigned i = 0; i < file.header.e_phnum; ++i) {
    const Elf64_Phdr& segment = file.segments[i];
    if (segment.p_type != PT_LOAD || segment.p_memsz == 0) continue;
    map_segment(file, segment, image.bias);
    const Word address = segment.p_vaddr + image.bias, end = address + segment.p_filesz;
    if (segment.p_offset <= file.header.e_phoff &&
        file.header.e_phoff - segment.p_offset < segment.p_filesz)
      image.program_headers = address + (file.header.e_phoff - segment.p_offset);
    if ((segment.p_flags & PF_X) != 0) {
      if (address < image.code_start) image.code_start = address;
      if (end > image.code_end) image.code_end = end;
    }
    if (address > image.data_start) image.data_start = address;
    if (end > image.data_end) image.data_end = end;
  }
  free_holes(file, start, start + (span.end - span.start), image.bias);
  if (image.code_start > image.code_end) image.code_start = image.code_end = image.data_start;
  return image;
}

bool read_interpreter(const ElfFile& file, char path[kPathMax]) {
  for (unsigned i = 0; i < file.header.e_phnum; ++i) {
    const Elf64_Phdr& segment = file.segments[i];
    if (segment.p_type != PT_INTERP) continue;
    if (segment.p_filesz < 2 || segment.p_filesz > kPathMax)
      refuse_program(file.path, "its interpreter's name is invalid");
    read_fully(file, path, segment.p_filesz, segment.p_offset);
    path[segment.p_filesz - 1] = '\0';
    return true;
  }
  return false;
}

}  // namespace bops::native
