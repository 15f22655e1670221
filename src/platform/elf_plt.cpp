#include "platform/elf_plt.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <utility>

namespace bops {
namespace {

/// Addresses of slots, and the names of what they will point to.
using Slots = std::map<std::uint64_t, std::string>;

std::string name_at(std::span<const ElfFunction> functions, std::uint64_t address) {
  const auto found =
      std::lower_bound(functions.begin(), functions.end(), address,
                       [](const ElfFunction& f, std::uint64_t value) { return f.start < value; });
  return found != functions.end() && found->start == address ? std::string(found->name) : "";
}

/// The name of symbol `index` of the table in section `table`.
std::string symbol_name(const ElfImage& image, std::size_t table, std::size_t index) {
  Elf_Scn* section = ::elf_getscn(image.get(), table);
  GElf_Shdr header{};
  if (section == nullptr || ::gelf_getshdr(section, &header) == nullptr) return {};
  if (header.sh_type != SHT_DYNSYM && header.sh_type != SHT_SYMTAB) return {};
  Elf_Data* data = ::elf_getdata(section, nullptr);
  GElf_Sym symbol{};
  if (data == nullptr || !std::in_range<int>(index) ||
      ::gelf_getsym(data, static_cast<int>(index), &symbol) == nullptr)
    return {};
  const char* name = ::elf_strptr(image.get(), header.sh_link, symbol.st_name);
  return name != nullptr ? name : "";
}

void read_slots(const ElfImage& image, const ElfSection& relocations,
                std::span<const ElfFunction> functions, Slots& slots) {
  Elf_Data* data = ::elf_getdata(relocations.handle, nullptr);
  const std::size_t entry_size = ::gelf_fsize(image.get(), ELF_T_RELA, 1, EV_CURRENT);
  if (data == nullptr || data->d_buf == nullptr || entry_size == 0) return;
  for (std::size_t i = 0; i < data->d_size / entry_size && std::in_range<int>(i); ++i) {
    GElf_Rela relocation{};
    if (::gelf_getrela(data, static_cast<int>(i), &relocation) == nullptr) return;
    const auto type = GELF_R_TYPE(relocation.r_info);
    std::string name;
    if (type == R_X86_64_JUMP_SLOT || type == R_X86_64_GLOB_DAT)
      name = symbol_name(image, relocations.header.sh_link, GELF_R_SYM(relocation.r_info));
    else if (type == R_X86_64_IRELATIVE)
      name = name_at(functions, static_cast<std::uint64_t>(relocation.r_addend));
    if (!name.empty()) slots.emplace(relocation.r_offset, std::move(name));
  }
}

/// The slot that `jmp *disp32(%rip)` (ff 25), the first one in a stub, jumps through.
std::optional<std::uint64_t> slot_of(std::span<const unsigned char> stub, std::uint64_t address) {
  constexpr std::size_t kJumpSize = 6;
  for (std::size_t at = 0; at + kJumpSize <= stub.size(); ++at) {
    if (stub[at] != 0xff || stub[at + 1] != 0x25) continue;
    std::int32_t displacement = 0;
    std::memcpy(&displacement, &stub[at + 2], sizeof displacement);
    return address + at + kJumpSize + static_cast<std::uint64_t>(std::int64_t{displacement});
  }
  return std::nullopt;
}

void read_stubs(const ElfSection& section, std::size_t stub_size, const Slots& slots,
                std::vector<PltStub>& stubs) {
  Elf_Data* data = ::elf_getdata(section.handle, nullptr);
  if (data == nullptr || data->d_buf == nullptr) return;
  const std::span bytes(static_cast<const unsigned char*>(data->d_buf), data->d_size);
  for (std::size_t at = 0; at + stub_size <= bytes.size(); at += stub_size) {
    const std::uint64_t address = section.header.sh_addr + at;
    const auto slot = slot_of(bytes.subspan(at, stub_size), address);
    const auto named = slot ? slots.find(*slot) : slots.end();
    if (named != slots.end() && section.contains(address))
      stubs.push_back({address, stub_size, named->second + "@plt"});
  }
}

}  // namespace

std::vector<PltStub> plt_stubs(const ElfImage& image, const std::vector<ElfSection>& sections,
                               std::span<const ElfFunction> functions) {
  GElf_Ehdr header{};
  if (::gelf_getehdr(image.get(), &header) == nullptr || header.e_machine != EM_X86_64) return {};
  Slots slots;
  for (const ElfSection& section : sections)
    if (section.header.sh_type == SHT_RELA && (section.header.sh_flags & SHF_ALLOC) != 0)
      read_slots(image, section, functions, slots);
  std::vector<PltStub> stubs;
  for (const ElfSection& section : sections) {
    if (!section.is_code() || section.header.sh_type != SHT_PROGBITS) continue;
    // Sizes of the psABI (x86-64, chapter 5.2); without lazy binding (.plt.got) a stub has 8 bytes,
    // or 16 with the landing pads of control-flow protection.
    if (section.name == ".plt" || section.name == ".plt.sec") read_stubs(section, 16, slots, stubs);
    if (section.name == ".plt.got")
      read_stubs(section, section.header.sh_entsize == 16 ? 16 : 8, slots, stubs);
  }
  return stubs;
}

}  // namespace bops
