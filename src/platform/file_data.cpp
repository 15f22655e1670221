#include "platform/file_data.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace bops {

FileData::FileData(const std::string& path)
    : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)) {}

FileData::Range FileData::first_in(std::uint64_t begin, std::uint64_t end) const {
  if (!fd_ || begin >= end) return {begin, end};
  const off_t data = ::lseek(fd_.get(), static_cast<off_t>(begin), SEEK_DATA);
  if (data < 0) return errno == ENXIO ? Range{end, end} : Range{begin, end};
  const auto first = static_cast<std::uint64_t>(data);
  if (first >= end) return {end, end};
  const off_t hole = ::lseek(fd_.get(), data, SEEK_HOLE);
  return {first, hole <= data ? end : std::min(end, static_cast<std::uint64_t>(hole))};
}

}  // namespace bops
