// What is written of one run: to go on behind it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "model/error.hpp"
#include "usage/checkpoint.hpp"
#include "usage/utc_time.hpp"

namespace bops {

struct WrittenChain {
  std::uint64_t lines = 0;
  std::string head{kNoLine};  ///< SHA-256 of the last line
  UtcNs end = 0;              ///< of the last record; 0: there is none
  bool closed = false;        ///< the closing checkpoint is there
  struct Meter {
    std::string subject;
    std::string name;
    std::string gpu;  ///< uuid; empty: none
    // clang-tidy 14 takes the comparison with 0 in a defaulted <=> for a null pointer.
    // NOLINTNEXTLINE(modernize-use-nullptr)
    friend auto operator<=>(const Meter&, const Meter&) = default;
  };
  std::map<Meter, std::int64_t> sums;
};

/// Reads the records of `source` from what --usage named. Fails, with the line, where they do not
/// follow from one another, or are not those of its checkpoints: bops usage verify tells more, and
/// nobody should sign more of them. Signatures are not looked at.
[[nodiscard]] Result<WrittenChain> read_written_chain(const std::string& target,
                                                      const std::string& source);

}  // namespace bops
