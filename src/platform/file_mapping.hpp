// Owner of a file mapped into memory, shared with everyone else who maps it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "model/error.hpp"

namespace bops {

/// The whole of a file as it was long when it was opened. Stores by other processes are seen. A
/// file that is cut short afterwards makes access to its lost pages a SIGBUS.
class FileMapping {
 public:
  enum class Access : std::uint8_t { kReadOnly, kReadWrite };

  /// Maps an existing regular file; an empty one gives empty spans. Fails with kRefused.
  [[nodiscard]] static Result<FileMapping> open(const std::string& path, Access access);
  /// Creates the file, which must not exist yet, with `size` bytes of 0 and mode 0600, and maps it
  /// for reading and writing. Its blocks are reserved: no later store finds the disk full.
  [[nodiscard]] static Result<FileMapping> create(const std::string& path, std::size_t size);

  FileMapping(FileMapping&& other) noexcept;
  FileMapping& operator=(FileMapping&& other) noexcept;
  ~FileMapping();

  [[nodiscard]] std::span<const std::byte> bytes() const { return {data_, size_}; }
  /// Empty if the mapping is read-only.
  [[nodiscard]] std::span<std::byte> writable_bytes() {
    return access_ == Access::kReadWrite ? std::span<std::byte>{data_, size_}
                                         : std::span<std::byte>{};
  }

 private:
  FileMapping(std::byte* data, std::size_t size, Access access)
      : data_(data), size_(size), access_(access) {}
  static Result<FileMapping> map(int fd, const std::string& path, std::size_t size, Access access);

  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  Access access_ = Access::kReadOnly;
};

}  // namespace bops
