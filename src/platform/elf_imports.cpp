#include "platform/elf_imports.hpp"

#include <algorithm>

#include "platform/elf_image.hpp"

namespace bops {

bool elf_imports(const std::string& path, std::string_view symbol) {
  const auto image = ElfImage::open(path);
  if (!image) return false;
  for (const ElfSection& section : image->sections()) {
    if (section.header.sh_type != SHT_DYNSYM || section.header.sh_entsize == 0) continue;
    Elf_Data* const data = ::elf_getdata(section.handle, nullptr);
    const auto count = static_cast<int>(section.header.sh_size / section.header.sh_entsize);
    for (int index = 0; data != nullptr && index < count; ++index) {
      GElf_Sym entry{};
      if (::gelf_getsym(data, index, &entry) == nullptr || entry.st_shndx != SHN_UNDEF) continue;
      const char* const name = ::elf_strptr(image->get(), section.header.sh_link, entry.st_name);
      if (name != nullptr && symbol == name) return true;
    }
  }
  return false;
}

bool elf_has_section(const std::string& path, std::string_view name) {
  const auto image = ElfImage::open(path);
  if (!image) return false;
  const std::vector<ElfSection> sections = image->sections();
  return std::any_of(sections.begin(), sections.end(),
                     [name](const ElfSection& section) { return section.name == name; });
}

}  // namespace bops
