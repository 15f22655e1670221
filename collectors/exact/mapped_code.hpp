// The code of mapped files: what is at an address, and which function that belongs to.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "collectors/exact/block_profile.hpp"
#include "platform/elf_symbols.hpp"
#include "platform/unique_fd.hpp"

namespace bops::exact {

/// The name of code that no symbol covers.
inline constexpr std::string_view kUnknownFunction = "[unknown]";

/// The functions of one file, and whether it still holds the code that was executed: it may have
/// been replaced since, or the target may have changed its copy in memory.
class MappedFile {
 public:
  MappedFile(const std::string& path, std::string_view debug_root);

  [[nodiscard]] bool holds(std::uint64_t offset, std::span<const std::uint8_t> bytes);
  [[nodiscard]] const ElfSymbols& symbols() const { return symbols_; }

 private:
  /// Read when something in it is first asked for. Not mapped: a file that is cut meanwhile would
  /// raise SIGBUS.
  struct Piece {
    std::size_t size = 0;
    std::unique_ptr<std::uint8_t[]> bytes;  // null: not read yet
  };
  const Piece& piece_of(std::uint64_t offset);

  UniqueFd fd_;
  ElfSymbols symbols_;
  std::unordered_map<std::uint64_t, Piece> pieces_;  // by offset / kPieceSize
};

/// All files of a run, each read when the first block in it is met.
class MappedCode {
 public:
  explicit MappedCode(std::string debug_root) : debug_root_(std::move(debug_root)) {}

  /// Null where the mapping is of no file.
  [[nodiscard]] MappedFile* file_of(const BlockProfile::Mapping* mapping);

 private:
  std::string debug_root_;
  std::unordered_map<std::string, std::unique_ptr<MappedFile>> files_;  // by path
};

}  // namespace bops::exact
