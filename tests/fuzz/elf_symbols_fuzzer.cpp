// The symbol reader on any bytes: never crashes, and what it finds is in order.
#include <cstdint>
#include <cstdlib>
#include <span>

#include "platform/demangle.hpp"
#include "platform/elf_symbols.hpp"

// NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const bops::ElfSymbols symbols = bops::ElfSymbols::parse(std::as_bytes(std::span(data, size)));
  std::uint64_t end = 0;
  for (const bops::ElfFunction& function : symbols.functions()) {
    if (function.start < end || function.end <= function.start) std::abort();
    end = function.end;
    if (symbols.at_address(function.start) != &function) std::abort();
    if (symbols.at_address(function.end - 1) != &function) std::abort();
    (void)bops::demangled(function.name);
  }
  for (std::uint64_t offset = 0; offset <= size; offset += 64) (void)symbols.at_file_offset(offset);
  return 0;
}
