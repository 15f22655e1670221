// Owner of an ELF file that is being read. Room-internal: nobody else deals with libelf.
#pragma once

#include <gelf.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "platform/unique_fd.hpp"

namespace bops {

/// A section of an ELF file; addresses are the file's own (before it is moved to where it runs).
struct ElfSection {
  Elf_Scn* handle;
  std::string_view name;
  GElf_Shdr header;

  [[nodiscard]] bool is_code() const {
    return (header.sh_flags & SHF_ALLOC) != 0 && (header.sh_flags & SHF_EXECINSTR) != 0;
  }
  [[nodiscard]] bool contains(std::uint64_t address) const {
    return address >= header.sh_addr && address - header.sh_addr < header.sh_size;
  }
};

class ElfImage {
 public:
  /// The ELF file at `path`, read as needed, never mapped: it may shrink meanwhile.
  [[nodiscard]] static std::optional<ElfImage> open(const std::string& path);
  /// The ELF file that `bytes` are.
  [[nodiscard]] static std::optional<ElfImage> in_memory(std::span<const std::byte> bytes);

  [[nodiscard]] Elf* get() const { return elf_.get(); }
  /// In lower-case hex; empty if it has none.
  [[nodiscard]] std::string build_id() const;
  /// In the order of the file; views into it. Those that are damaged are left out.
  [[nodiscard]] std::vector<ElfSection> sections() const;

 private:
  struct End {
    void operator()(Elf* elf) const { ::elf_end(elf); }
  };
  ElfImage() = default;
  [[nodiscard]] bool is_elf() const;

  UniqueFd fd_;
  std::vector<char> bytes_;
  std::unique_ptr<Elf, End> elf_;  // last: it ends before what it reads from
};

}  // namespace bops
