#include "platform/elf_imports.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "platform/elf_image.hpp"

namespace bops {
namespace {

bool has_function(const ElfImage& image, const ElfSection& section, std::string_view symbol) {
  Elf_Data* const data = ::elf_getdata(section.handle, nullptr);
  if (data == nullptr || section.header.sh_entsize == 0) return false;
  const auto count = static_cast<int>(section.header.sh_size / section.header.sh_entsize);
  for (int index = 0; index < count; ++index) {
    GElf_Sym entry{};
    if (::gelf_getsym(data, index, &entry) == nullptr || entry.st_shndx == SHN_UNDEF ||
        GELF_ST_TYPE(entry.st_info) != STT_FUNC)
      continue;
    const char* const name = ::elf_strptr(image.get(), section.header.sh_link, entry.st_name);
    if (name != nullptr && symbol == name) return true;
  }
  return false;
}

/// mov $number, %eax, and a syscall behind it before anything can jump away.
bool has_call(std::span<const unsigned char> code, std::uint32_t number) {
  constexpr std::size_t kMovSize = 5;
  constexpr std::size_t kReach = 12;  // moves of arguments may stand between
  const std::array<unsigned char, kMovSize> mov{
      0xb8, static_cast<unsigned char>(number), static_cast<unsigned char>(number >> 8U),
      static_cast<unsigned char>(number >> 16U), static_cast<unsigned char>(number >> 24U)};
  const std::array<unsigned char, 2> call{0x0f, 0x05};
  auto from = code.begin();
  for (;;) {
    const auto found = std::search(from, code.end(), mov.begin(), mov.end());
    if (found == code.end()) return false;
    from = found + kMovSize;
    const auto left = static_cast<std::size_t>(code.end() - from);
    const auto reach = from + static_cast<std::ptrdiff_t>(std::min(kReach, left));
    if (std::search(from, reach, call.begin(), call.end()) != reach) return true;
  }
}

}  // namespace

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

bool static_program_calls(const std::string& path, std::string_view symbol, std::uint32_t number) {
  const auto image = ElfImage::open(path);
  if (!image) return false;
  const std::vector<ElfSection> sections = image->sections();
  const auto any = [&sections](const auto& holds) {
    return std::any_of(sections.begin(), sections.end(), holds);
  };
  // A program with an interpreter imports what it calls.
  if (any([](const ElfSection& section) { return section.name == ".interp"; })) return false;
  if (any([](const ElfSection& section) { return section.header.sh_type == SHT_SYMTAB; }))
    return any([&](const ElfSection& section) {
      return section.header.sh_type == SHT_SYMTAB && has_function(*image, section, symbol);
    });
  return any([number](const ElfSection& section) {
    Elf_Data* const data = section.is_code() ? ::elf_getdata(section.handle, nullptr) : nullptr;
    if (data == nullptr || data->d_buf == nullptr) return false;
    return has_call({static_cast<const unsigned char*>(data->d_buf), data->d_size}, number);
  });
}

bool elf_has_section(const std::string& path, std::string_view name) {
  const auto image = ElfImage::open(path);
  if (!image) return false;
  const std::vector<ElfSection> sections = image->sections();
  return std::any_of(sections.begin(), sections.end(),
                     [name](const ElfSection& section) { return section.name == name; });
}

}  // namespace bops
