// Appends records to this process's file.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "collectors/cuda/wire.hpp"

namespace bops::cuda::injection {

/// The payload of one record.
class Record {
 public:
  explicit Record(wire::RecordType type);
  Record& u32(std::uint32_t value);
  Record& u64(std::uint64_t value);
  Record& f64(double value);
  Record& text(std::string_view value);  ///< cut after 4096 bytes
  [[nodiscard]] std::string_view bytes();

 private:
  std::string bytes_;
};

/// The file is opened for each batch: the target may close any descriptor, and give its number to
/// something else. Not for several threads at once.
class WireWriter {
 public:
  /// Makes the file of this process; false if it cannot.
  [[nodiscard]] bool create(const std::string& directory);
  /// Keeps the record until flush().
  void add(Record record);
  /// Appends what was added; gives up for good when the file cannot take it whole.
  void flush();
  /// Writes nothing any more: a child of fork has its parent's file.
  void abandon();

 private:
  std::string path_;  ///< empty: abandoned
  std::string pending_;
};

}  // namespace bops::cuda::injection
