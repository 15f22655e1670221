// A file that grows by whole lines, and survives crashes.
#pragma once

#include <cstdint>
#include <string>

#include "model/error.hpp"
#include "platform/unique_fd.hpp"

namespace bops {

/// Locked: one process writes to it at a time.
class GrowingFile {
 public:
  /// Makes a missing file (mode 0600). Of one that is there, what stands behind the last newline is
  /// cut off.
  [[nodiscard]] static Result<GrowingFile> open(const std::string& path);
  /// On the disk when it returns; after a failure nothing of the text is in the file.
  [[nodiscard]] Result<void> append(const std::string& text);

 private:
  [[nodiscard]] Result<void> cut_off();
  [[nodiscard]] Result<void> find_end(std::uint64_t size);

  std::string path_;
  UniqueFd fd_;
  std::uint64_t size_ = 0;  ///< of what is known to be right
};

}  // namespace bops
