#include "collectors/exact/block_index.hpp"

#include <algorithm>

namespace bops::exact {

BlockIndex::BlockIndex(std::span<const BlockProfile::Block> blocks) : blocks_(blocks) {
  if (blocks.empty()) return;
  first_ = blocks.front().id;
  constexpr std::size_t kEntriesPerBlock = 32;
  constexpr std::size_t kSmall = 65536;
  const std::uint64_t last = blocks.back().id - first_;
  if (last >= kSmall + blocks.size() * kEntriesPerBlock) return;
  table_.assign(last + 1, kAbsent);
  for (std::size_t place = 0; place < blocks.size(); ++place)
    table_[blocks[place].id - first_] = static_cast<std::uint32_t>(place);
}

std::uint32_t BlockIndex::search(std::uint64_t id) const {
  const auto found = std::lower_bound(
      blocks_.begin(), blocks_.end(), id,
      [](const BlockProfile::Block& block, std::uint64_t value) { return block.id < value; });
  if (found == blocks_.end() || found->id != id) return kAbsent;
  return static_cast<std::uint32_t>(found - blocks_.begin());
}

}  // namespace bops::exact
