#include "tests/native/executable_code.hpp"

#include <elf.h>

#include <cstring>
#include <fstream>
#include <iterator>

namespace bops::native {

std::vector<std::vector<std::uint8_t>> executable_sections(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string content{std::istreambuf_iterator<char>(file), {}};
  Elf64_Ehdr header;
  if (content.size() < sizeof header) return {};
  std::memcpy(&header, content.data(), sizeof header);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_machine != EM_X86_64) {
    return {};
  }
  std::vector<std::vector<std::uint8_t>> sections;
  for (unsigned i = 0; i < header.e_shnum; ++i) {
    Elf64_Shdr section;
    const std::size_t at = header.e_shoff + i * sizeof section;
    if (at + sizeof section > content.size()) break;
    std::memcpy(&section, content.data() + at, sizeof section);
    const bool code = section.sh_type == SHT_PROGBITS && (section.sh_flags & SHF_EXECINSTR) != 0;
    if (!code || section.sh_offset + section.sh_size > content.size()) continue;
    const auto* first = reinterpret_cast<const std::uint8_t*>(content.data()) + section.sh_offset;
    sections.emplace_back(first, first + section.sh_size);
  }
  return sections;
}

}  // namespace bops::native
