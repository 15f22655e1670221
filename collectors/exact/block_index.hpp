// The place of each block in a profile, by its id.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "collectors/exact/block_profile.hpp"

namespace bops::exact {

class BlockIndex {
 public:
  static constexpr std::uint32_t kAbsent = 0xffffffff;

  /// Of blocks in ascending order of their ids, which stay where they are. Engines give out ids one
  /// after another, with gaps: a table is taken where it is not much larger than what it is for.
  explicit BlockIndex(std::span<const BlockProfile::Block> blocks);

  /// kAbsent if there is no such block.
  [[nodiscard]] std::uint32_t find(std::uint64_t id) const {
    if (table_.empty()) return search(id);
    return id - first_ < table_.size() ? table_[id - first_] : kAbsent;
  }

 private:
  [[nodiscard]] std::uint32_t search(std::uint64_t id) const;

  std::span<const BlockProfile::Block> blocks_;
  std::uint64_t first_ = 0;
  std::vector<std::uint32_t> table_;
};

}  // namespace bops::exact
