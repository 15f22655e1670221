/// What the kernel says of the process's memory.
#ifndef BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_PROCESS_MAPS_HPP
#define BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_PROCESS_MAPS_HPP

#include "collectors/exact/native/engine/engine.hpp"

namespace bops::native {

struct MemoryMapping {
  Word start, end;
  Word file_offset, device, inode;
  bool readable, writable, executable;
  const char* path;  ///< never null; valid until the next one is read
};

/// Reads /proc/self/maps, in ascending order of addresses.
class ProcessMaps {
 public:
  ProcessMaps();
  ~ProcessMaps();
  ProcessMaps(const ProcessMaps&) = delete;
  ProcessMaps& operator=(const ProcessMaps&) = delete;

  /// False where there is no /proc.
  [[nodiscard]] bool is_readable() const { return file_ >= 0; }
  bool next(MemoryMapping& mapping);

 private:
  char* next_line();

  int file_;
  std::size_t begin_ = 0, end_ = 0;
  char buffer_[kPathMax + 512];
};

/// Joins the numbers of a device as stat does.
inline Word device_number(Word major_number, Word minor_number) {
  return ((major_number & 0xfff) << 8) | (minor_number & 0xff) |
         ((minor_number & ~Word{0xff}) << 12) | ((major_number & ~Word{0xfff}) << 32);
}

}  // namespace bops::native

#endif
