#include "collectors/exact/mapped_code.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace bops::exact {
namespace {

constexpr std::size_t kPieceSize = 65536;

}  // namespace

// O_NONBLOCK: the name may have become a FIFO since it was mapped.
MappedFile::MappedFile(const std::string& path, std::string_view debug_root)
    : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)),
      symbols_(ElfSymbols::read(path, debug_root)) {}

const MappedFile::Piece& MappedFile::piece_of(std::uint64_t offset) {
  Piece& piece = pieces_[offset / kPieceSize];
  if (!piece.bytes) {
    piece.bytes = std::make_unique_for_overwrite<std::uint8_t[]>(kPieceSize);
    const ssize_t size = ::pread(fd_.get(), piece.bytes.get(), kPieceSize,
                                 static_cast<off_t>(offset / kPieceSize * kPieceSize));
    piece.size = size > 0 ? static_cast<std::size_t>(size) : 0;
  }
  return piece;
}

bool MappedFile::holds(std::uint64_t offset, std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const Piece& piece = piece_of(offset);
    const std::size_t begin = offset % kPieceSize;
    const std::size_t size = std::min(bytes.size(), kPieceSize - begin);
    if (begin + size > piece.size || std::memcmp(&piece.bytes[begin], bytes.data(), size) != 0)
      return false;
    offset += size;
    bytes = bytes.subspan(size);
  }
  return true;
}

MappedFile* MappedCode::file_of(const BlockProfile::Mapping* mapping) {
  if (mapping == nullptr || !mapping->path.starts_with('/')) return nullptr;
  std::unique_ptr<MappedFile>& file = files_[mapping->path];
  if (!file) file = std::make_unique<MappedFile>(mapping->path, debug_root_);
  return file.get();
}

}  // namespace bops::exact
