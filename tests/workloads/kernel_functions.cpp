#include "tests/workloads/kernel_functions.hpp"

#include <elf.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <string_view>

namespace bops::workloads {
namespace {

constexpr std::string_view kKernelPrefix = "_ZN4bops9workloads7kernels";

template <class T>
T read_at(const std::vector<char>& file, std::uint64_t offset) {
  T value{};
  if (offset + sizeof(T) <= file.size()) std::memcpy(&value, file.data() + offset, sizeof(T));
  return value;
}

Elf64_Shdr section(const std::vector<char>& file, std::uint64_t index) {
  const auto header = read_at<Elf64_Ehdr>(file, 0);
  return read_at<Elf64_Shdr>(file, header.e_shoff + index * header.e_shentsize);
}

KernelFunction function_of(const std::vector<char>& file, const Elf64_Sym& symbol,
                           std::string_view name) {
  const Elf64_Shdr code = section(file, symbol.st_shndx);
  const auto start =
      file.begin() + static_cast<std::ptrdiff_t>(symbol.st_value - code.sh_addr + code.sh_offset);
  return {std::string(name), {start, start + static_cast<std::ptrdiff_t>(symbol.st_size)}};
}

}  // namespace

std::vector<KernelFunction> kernel_functions(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  const std::vector<char> file{std::istreambuf_iterator<char>(stream), {}};
  std::vector<KernelFunction> functions;
  const auto header = read_at<Elf64_Ehdr>(file, 0);
  for (std::uint64_t index = 0; index < header.e_shnum; ++index) {
    const Elf64_Shdr symbols = section(file, index);
    if (symbols.sh_type != SHT_SYMTAB) continue;
    const Elf64_Shdr names = section(file, symbols.sh_link);
    for (std::uint64_t at = 0; at < symbols.sh_size; at += sizeof(Elf64_Sym)) {
      const auto symbol = read_at<Elf64_Sym>(file, symbols.sh_offset + at);
      const std::string_view name = file.data() + names.sh_offset + symbol.st_name;
      if (ELF64_ST_TYPE(symbol.st_info) == STT_FUNC && name.starts_with(kKernelPrefix))
        functions.push_back(function_of(file, symbol, name));
    }
  }
  return functions;
}

}  // namespace bops::workloads
