#include "platform/elf_symbols.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "platform/debug_file.hpp"
#include "platform/elf_image.hpp"
#include "platform/elf_plt.hpp"
#include "platform/symbol_ranges.hpp"

namespace bops {
namespace {

std::optional<SymbolKind> kind_of(const GElf_Sym& symbol) {
  const unsigned type = GELF_ST_TYPE(symbol.st_info);
  const unsigned binding = GELF_ST_BIND(symbol.st_info);
  // A label of local scope is a place inside a function, not one.
  if (type == STT_NOTYPE && binding != STB_LOCAL) return SymbolKind::kLabel;
  if (type != STT_FUNC && type != STT_GNU_IFUNC) return std::nullopt;
  if (binding == STB_LOCAL) return SymbolKind::kLocalFunction;
  return binding == STB_WEAK ? SymbolKind::kWeakFunction : SymbolKind::kGlobalFunction;
}

/// The code sections of a file in ascending order.
class CodeSections {
 public:
  explicit CodeSections(const std::vector<ElfSection>& sections) {
    for (const ElfSection& section : sections)
      if (section.is_code()) code_.push_back(section.header);
    std::sort(code_.begin(), code_.end(), [](const GElf_Shdr& a, const GElf_Shdr& b) {
      return std::pair(a.sh_addr, a.sh_size) < std::pair(b.sh_addr, b.sh_size);
    });
  }
  /// The end of the section that has `address`; 0 if none has.
  [[nodiscard]] std::uint64_t end_of(std::uint64_t address) const {
    const auto behind = std::upper_bound(
        code_.begin(), code_.end(), address,
        [](std::uint64_t value, const GElf_Shdr& header) { return value < header.sh_addr; });
    if (behind == code_.begin()) return 0;
    const GElf_Shdr& header = *std::prev(behind);
    const bool wraps = header.sh_addr + header.sh_size < header.sh_addr;
    if (wraps || address - header.sh_addr >= header.sh_size) return 0;
    return header.sh_addr + header.sh_size;
  }

 private:
  std::vector<GElf_Shdr> code_;
};

/// Adds the code symbols of one table; views into its file.
void read_table(const ElfImage& image, const ElfSection& table, const CodeSections& code,
                std::vector<CodeSymbol>& symbols) {
  Elf_Data* data = ::elf_getdata(table.handle, nullptr);
  const std::size_t entry_size = ::gelf_fsize(image.get(), ELF_T_SYM, 1, EV_CURRENT);
  if (data == nullptr || data->d_buf == nullptr || entry_size == 0) return;
  const std::size_t count = data->d_size / entry_size;
  for (std::size_t i = 0; i < count && std::in_range<int>(i); ++i) {
    GElf_Sym symbol{};
    if (::gelf_getsym(data, static_cast<int>(i), &symbol) == nullptr) return;
    const auto kind = kind_of(symbol);
    if (!kind || symbol.st_shndx == SHN_UNDEF || symbol.st_shndx == SHN_ABS) continue;
    const std::uint64_t section_end = code.end_of(symbol.st_value);
    const char* name = ::elf_strptr(image.get(), table.header.sh_link, symbol.st_name);
    if (section_end == 0 || name == nullptr || *name == '\0') continue;
    symbols.push_back({symbol.st_value, symbol.st_size, section_end, *kind, name});
  }
}

/// Whether there was a .symtab.
bool read_tables(const ElfImage& image, const std::vector<ElfSection>& sections,
                 const CodeSections& code, std::vector<CodeSymbol>& symbols) {
  bool complete = false;
  for (const ElfSection& section : sections) {
    if (section.header.sh_type != SHT_SYMTAB && section.header.sh_type != SHT_DYNSYM) continue;
    read_table(image, section, code, symbols);
    complete |= section.header.sh_type == SHT_SYMTAB;
  }
  return complete;
}

}  // namespace

class ElfSymbolReader {
 public:
  /// `find_debug_file` is asked only if the file lacks .symtab.
  template <class FindDebugFile>
  static ElfSymbols read(ElfImage image, FindDebugFile find_debug_file) {
    const auto files = std::make_shared<Files>(Files{std::move(image), {}, {}});
    const std::vector<ElfSection> sections = files->image.sections();
    const CodeSections code(sections);
    std::vector<CodeSymbol> symbols;
    if (!read_tables(files->image, sections, code, symbols)) {
      files->debug_file = find_debug_file(files->image);
      // Its own sections have the same addresses; it keeps no code.
      if (files->debug_file)
        read_tables(*files->debug_file, files->debug_file->sections(), code, symbols);
    }
    ElfSymbols result;
    symbols = without_aliases(std::move(symbols));
    result.functions_ = disjoint_ranges_of(symbols);
    files->stubs = plt_stubs(files->image, sections, result.functions_);
    if (!files->stubs.empty()) {
      std::vector<CodeSymbol> stubs;
      for (const PltStub& stub : files->stubs)
        stubs.push_back({stub.start, stub.size, code.end_of(stub.start), SymbolKind::kLocalFunction,
                         stub.name});
      result.functions_ = disjoint_ranges_of(with_more(std::move(symbols), std::move(stubs)));
    }
    read_segments(files->image, result.segments_);
    result.files_ = files;
    return result;
  }

 private:
  /// What names are views into.
  struct Files {
    ElfImage image;
    std::optional<ElfImage> debug_file;
    std::vector<PltStub> stubs;
  };

  static void read_segments(const ElfImage& image, std::vector<ElfSymbols::Segment>& segments) {
    std::size_t count = 0;
    if (::elf_getphdrnum(image.get(), &count) != 0) return;
    for (std::size_t i = 0; i < count && std::in_range<int>(i); ++i) {
      GElf_Phdr header{};
      if (::gelf_getphdr(image.get(), static_cast<int>(i), &header) == nullptr) return;
      if (header.p_type == PT_LOAD)
        segments.push_back(
            {header.p_offset, header.p_filesz, header.p_vaddr, (header.p_flags & PF_X) != 0});
    }
    std::stable_partition(segments.begin(), segments.end(),
                          [](const ElfSymbols::Segment& segment) { return segment.executable; });
  }
};

ElfSymbols ElfSymbols::read(const std::string& path, std::string_view debug_root) {
  auto image = ElfImage::open(path);
  if (!image) return {};
  return ElfSymbolReader::read(*std::move(image), [&](const ElfImage& stripped) {
    return open_debug_file(stripped, path, debug_root);
  });
}

ElfSymbols ElfSymbols::parse(std::span<const std::byte> file) {
  auto image = ElfImage::in_memory(file);
  if (!image) return {};
  return ElfSymbolReader::read(*std::move(image),
                               [](const ElfImage&) { return std::optional<ElfImage>(); });
}

ElfSymbols::Stretch ElfSymbols::stretch_at_address(std::uint64_t address) const {
  const auto behind = std::upper_bound(
      functions_.begin(), functions_.end(), address,
      [](std::uint64_t value, const ElfFunction& function) { return value < function.start; });
  if (behind != functions_.begin() && address < std::prev(behind)->end)
    return {&*std::prev(behind), std::prev(behind)->end - address};
  const std::uint64_t next =
      behind != functions_.end() ? behind->start : std::numeric_limits<std::uint64_t>::max();
  return {nullptr, std::max<std::uint64_t>(next - address, 1)};
}

ElfSymbols::Stretch ElfSymbols::stretch_at_file_offset(std::uint64_t offset) const {
  for (const Segment& segment : segments_) {
    if (offset < segment.file_offset || offset - segment.file_offset >= segment.size) continue;
    const std::uint64_t distance = offset - segment.file_offset;
    Stretch stretch = stretch_at_address(segment.address + distance);
    stretch.size = std::min(stretch.size, segment.size - distance);
    return stretch;
  }
  return {nullptr, 1};
}

}  // namespace bops
