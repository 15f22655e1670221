// Whole files written so that a full disk is noticed, and where bops itself lies.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "model/error.hpp"

namespace bops {

/// "cannot ACTION NAME: ..." for an errno of a file, with what to do about it.
[[nodiscard]] Error io_error(const std::string& action, const std::string& name, int error);

/// Writes `content` as the whole content of the file `path`, or to standard output if it is "-".
/// A new file gets `mode` less the umask; an existing one keeps its mode, as it may be a device or
/// a FIFO. Fails (kRefused) unless every byte was taken and the file could be closed without an
/// error, which is where network file systems report a full disk.
[[nodiscard]] Result<void> write_file_whole(const std::string& path, std::string_view content,
                                            mode_t mode);

/// Writes all of `content` to an open descriptor. `name` stands for it in the error.
[[nodiscard]] Result<void> write_all(int fd, std::string_view content, const std::string& name);

/// The whole content of the file, also of one whose size the kernel does not know (procfs). Fails
/// if that is more than `most` bytes: a device may have no end, and takes all memory.
[[nodiscard]] Result<std::string> read_file_whole(const std::string& path,
                                                  std::uint64_t most = UINT64_MAX);

/// Of a file that the user names. A record has a row for each thread, function and kernel of a run:
/// some 100 MB at most.
constexpr std::uint64_t kLargestDocument = std::uint64_t{1} << 29U;  // bytes

/// The directory of the running executable, without a trailing slash (/proc/self/exe).
[[nodiscard]] Result<std::string> executable_directory();

}  // namespace bops
