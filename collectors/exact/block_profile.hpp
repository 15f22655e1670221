// Reads block profiles (block_profile.h), finished or still being written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "collectors/exact/block_profile.h"
#include "model/error.hpp"
#include "platform/file_data.hpp"

namespace bops::exact {

/// What a profile holds, checked: every index names something that is there, every count is as the
/// engine wrote it. Times are CLOCK_MONOTONIC, 0 where unknown.
struct BlockProfile {
  struct Process {
    std::uint32_t index;
    std::int32_t pid;
    std::int32_t ppid;
    std::uint64_t start_mono_ns;
    std::uint64_t end_mono_ns;
    std::string path;
  };
  struct Thread {
    std::uint32_t index;
    std::uint32_t process;
    std::int32_t tid;
    std::uint64_t start_mono_ns;
    std::uint64_t end_mono_ns;
    std::string name;
  };
  struct Mapping {
    std::uint32_t index;
    std::uint64_t start;
    std::uint64_t end;
    std::uint64_t file_offset;
    std::uint64_t device;
    std::uint64_t inode;
    std::string path;
  };
  struct Block {
    std::uint64_t id;
    std::uint64_t address;
    std::uint32_t mapping;  ///< BOPS_PROFILE_NONE if unknown
    bool provisional_tail;  ///< BOPS_BLOCK_TAIL_PROVISIONAL
    std::span<const std::uint8_t> lengths;
    std::span<const std::uint8_t> bytes;  ///< the instructions, as long as the lengths' sum
  };
  /// One path of nested region names of one thread.
  struct Region {
    std::uint32_t index;
    std::uint32_t thread;
    std::uint32_t parent;  ///< the one around it, which stands before it, or BOPS_PROFILE_NONE
    std::uint64_t entries;
    std::string name;  ///< the innermost
  };
  struct Work {
    std::uint32_t thread;  ///< or region
    std::string unit;
    std::uint64_t amount;
  };
  struct Execution {
    std::uint32_t thread;  ///< or region: what ran in it belongs to its thread, too
    std::uint64_t block;
    std::uint64_t times;
  };
  struct Partial {
    std::uint32_t thread;  ///< or region
    std::uint64_t block;
    std::uint32_t completed;
    std::uint64_t times;
  };
  struct Uncounted {
    std::int32_t pid;
    std::int32_t ppid;
    std::uint64_t start_mono_ns;
    std::string path;
    std::string reason;
  };

  std::string engine;
  std::uint64_t start_mono_ns = 0;
  std::uint32_t refusals = 0;      ///< how often the engine was refused storage; not 0: counts lost
  std::uint32_t malformed = 0;     ///< records that could not be read and were left out
  std::uint64_t bytes_used = 0;    ///< storage handed out, header included
  std::vector<Process> processes;  ///< each vector in the order of its indices or ids
  std::vector<Thread> threads;
  std::vector<Region> regions;
  std::vector<Mapping> mappings;
  std::vector<Block> blocks;          ///< in `code`, unless who made the profile keeps their bytes
  std::vector<Execution> executions;  ///< none with 0 times
  std::vector<Partial> partials;
  std::vector<Work> work;  ///< in the order of the file
  std::vector<Uncounted> uncounted;
  std::vector<std::string> messages;  ///< of the engine
  std::shared_ptr<const void> code;   ///< a copy: what writes to the file cannot change it
};

/// Reads the profile in `file`, which may be written to meanwhile. Fails if it is no profile of a
/// version that this program knows; damage inside is left out and told in `malformed`. Counters,
/// which are most of the file, are read only where `data` says that there are any; null:
/// everywhere.
[[nodiscard]] Result<BlockProfile> read_block_profile(std::span<const std::byte> file,
                                                      const FileData* data = nullptr);

/// Creates the sparse file of a profile at `path` (mode 0600), with its header, as large as the
/// limits of the process allow.
[[nodiscard]] Result<void> create_block_profile(const std::string& path, const std::string& engine,
                                                std::uint64_t start_mono_ns);

}  // namespace bops::exact
