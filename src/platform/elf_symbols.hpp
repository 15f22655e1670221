// The functions of an ELF file: which one the code at a place in the file belongs to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bops {

/// Where distributions install separate debug files.
inline constexpr std::string_view kDebugRoot = "/usr/lib/debug";

/// A range of code with one name. A function that another one interrupts has several.
struct ElfFunction {
  std::uint64_t start;    ///< the file's own addresses (before it is moved to where it runs)
  std::uint64_t end;      ///< behind the last byte; greater than `start`
  std::string_view name;  ///< the symbol as it stands in the file (demangle.hpp), "name@plt" for a
                          ///< stub; as long as the ElfSymbols that it is of, or a copy of that

  friend bool operator==(const ElfFunction&, const ElfFunction&) = default;
};

/// Names come from .symtab and .dynsym; where a file was stripped of .symtab, also from that of its
/// separate debug file: `debug_root`/.build-id/xx/yyyy.debug, else the one that .gnu_debuglink
/// names (beside the file, in .debug/ there, or below `debug_root`), if it is of the same build.
/// Stubs of the procedure linkage table are named after what they jump to.
class ElfSymbols {
 public:
  /// Without any function if `path` is no readable ELF file.
  [[nodiscard]] static ElfSymbols read(const std::string& path,
                                       std::string_view debug_root = kDebugRoot);
  /// The same of a file in memory, which has no separate debug file. Any bytes will do.
  [[nodiscard]] static ElfSymbols parse(std::span<const std::byte> file);

  /// In ascending order, disjoint.
  [[nodiscard]] const std::vector<ElfFunction>& functions() const { return functions_; }
  /// What is at a place, and also in the bytes behind it.
  struct Stretch {
    const ElfFunction* function;  ///< null where no symbol covers the place
    std::uint64_t size;           ///< for so many bytes it is the same, 1 or more; maybe for more
  };
  [[nodiscard]] Stretch stretch_at_address(std::uint64_t address) const;
  /// By place in the file; no function also where that is not loaded into memory.
  [[nodiscard]] Stretch stretch_at_file_offset(std::uint64_t offset) const;
  [[nodiscard]] const ElfFunction* at_address(std::uint64_t address) const {
    return stretch_at_address(address).function;
  }
  [[nodiscard]] const ElfFunction* at_file_offset(std::uint64_t offset) const {
    return stretch_at_file_offset(offset).function;
  }

 private:
  /// A part of the file that is loaded (PT_LOAD).
  struct Segment {
    std::uint64_t file_offset;
    std::uint64_t size;  ///< in the file
    std::uint64_t address;
    bool executable;
  };
  friend class ElfSymbolReader;

  std::shared_ptr<const void> files_;  // which the names lie in
  std::vector<ElfFunction> functions_;
  std::vector<Segment> segments_;  // executable ones first
};

}  // namespace bops
