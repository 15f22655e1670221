// Names for the stubs of the procedure linkage table. Room-internal.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "platform/elf_image.hpp"
#include "platform/elf_symbols.hpp"

namespace bops {

struct PltStub {
  std::uint64_t start;
  std::uint64_t size;
  std::string name;  ///< "name@plt"
};

/// The stubs in .plt, .plt.sec and .plt.got of an x86-64 file: each jumps through a slot, whose
/// relocation has the symbol, or (IRELATIVE) the address of the function that chooses one, whose
/// name is taken from `functions`.
[[nodiscard]] std::vector<PltStub> plt_stubs(const ElfImage& image,
                                             const std::vector<ElfSection>& sections,
                                             std::span<const ElfFunction> functions);

}  // namespace bops
