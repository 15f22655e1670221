// Where a sparse file has data.
#pragma once

#include <cstdint>
#include <string>

#include "platform/unique_fd.hpp"

namespace bops {

/// A sparse file's holes read as zeros, but a read of one through a mapping makes the file system
/// allocate a page for it (tmpfs: in memory). Who asks here first leaves the file as it is.
class FileData {
 public:
  struct Range {
    std::uint64_t begin;
    std::uint64_t end;  ///< == begin: none
  };

  /// Where the file cannot be opened, or its file system does not tell, all is data.
  explicit FileData(const std::string& path);

  /// The first bytes in [begin, end) that are not in a hole, as of now.
  [[nodiscard]] Range first_in(std::uint64_t begin, std::uint64_t end) const;

 private:
  UniqueFd fd_;
};

}  // namespace bops
