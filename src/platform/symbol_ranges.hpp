// Which name each address of a program's code has, of symbols that may overlap, share an address or
// not know their size. Room-internal.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "platform/elf_symbols.hpp"

namespace bops {

/// Of several symbols at one address, the first kind in this order names it.
enum class SymbolKind : std::uint8_t {
  kGlobalFunction,
  kWeakFunction,
  kLocalFunction,
  kLabel,  ///< a global symbol without a type, as hand-written assembly has: names code that no
           ///< function covers
};

struct CodeSymbol {
  std::uint64_t start;
  std::uint64_t size;         ///< 0: unknown
  std::uint64_t section_end;  ///< the code section ends here; greater than `start`
  SymbolKind kind;
  std::string_view name;
};

/// One symbol per address, in ascending order. Of aliases, the one that its kind puts first, then
/// the shortest name, then the first in the alphabet; its size is the largest of any.
[[nodiscard]] std::vector<CodeSymbol> without_aliases(std::vector<CodeSymbol> symbols);

/// The same of both, of which the first is without aliases.
[[nodiscard]] std::vector<CodeSymbol> with_more(std::vector<CodeSymbol> symbols,
                                                std::vector<CodeSymbol> more);

/// Of symbols without aliases, disjoint ranges in ascending order. A symbol of known size covers
/// it; one of unknown size reaches to the next symbol, or to the end of what it lies in. Where
/// symbols overlap, the one that starts last has the address. The names are those of the symbols,
/// not copied.
[[nodiscard]] std::vector<ElfFunction> disjoint_ranges_of(const std::vector<CodeSymbol>& symbols);

/// disjoint_ranges_of() symbols that may have aliases.
[[nodiscard]] inline std::vector<ElfFunction> disjoint_ranges(std::vector<CodeSymbol> symbols) {
  return disjoint_ranges_of(without_aliases(std::move(symbols)));
}

}  // namespace bops
