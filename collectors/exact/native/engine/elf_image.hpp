/// An ELF file and its image in memory.
#ifndef BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_ELF_IMAGE_HPP
#define BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_ELF_IMAGE_HPP

#include <elf.h>

#include "collectors/exact/native/engine/engine.hpp"

namespace bops::native {

/// An open ELF file. `segments` are its program headers, in memory of the engine.
struct ElfFile {
  int descriptor;
  char path[kPathMax];  ///< as /proc/self/maps names it
  Word device, inode;
  Elf64_Ehdr header;
  const Elf64_Phdr* segments;
};

/// Where an image lies. Addresses are absolute.
struct ElfImage {
  Word bias;  ///< address - p_vaddr
  Word entry;
  Word program_headers;                             ///< 0: they are in no segment
  Word code_start, code_end, data_start, data_end;  ///< as the kernel notes them in mm_struct
};

/// Opens `path` and reads its headers; exits if it is no ELF file of ours.
void open_elf(const char* path, ElfFile& file);
/// Takes over an open descriptor.
void read_elf(int descriptor, const char* name, ElfFile& file);

/// The page-aligned range of p_vaddr that the PT_LOAD segments span, and their largest alignment.
struct ElfSpan {
  Word start, end, alignment;
};
ElfSpan span_of(const ElfFile& file);

/// Maps the file's segments as execve does, at `start` instead of span.start, which must be free.
/// Adds the executable ones to the memory map. Exits if it cannot be done.
ElfImage map_elf(const ElfFile& file, Word start);

/// What PT_INTERP names; false if there is none.
bool read_interpreter(const ElfFile& file, char path[kPathMax]);

/// Says in one line on stderr and in a MESSAGE why the program cannot be loaded, and ends with 125.
[[noreturn]] void refuse_program(const char* name, const char* reason, std::int64_t error = 0);

}  // namespace bops::native

#endif
