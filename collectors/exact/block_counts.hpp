// From block profiles to counts: each block is decoded once, and counted as often as it ran.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "collectors/exact/block_profile.hpp"
#include "model/run_counts.hpp"

namespace bops::exact {

/// One execution of a block, and what the decoder did not know about it.
struct BlockFacts {
  InstructionCounts instructions;
  Operations operations;
  InstructionClasses classes;
  std::vector<std::string> unknown;  ///< bytes in hex of instructions that have no decoding
  bool assumes_tile_size = false;
};

/// Sums of one thing, in the wrapping arithmetic that block_profile.h asks for: one block's share
/// may be negative, no sum is.
struct BlockSum {
  InstructionCounts instructions;
  Operations operations;
  InstructionClasses classes;

  void add(const BlockFacts& facts, std::uint64_t times);
  [[nodiscard]] Counts counts() const { return {instructions, operations, classes}; }
};

/// The instructions `first` ... `last - 1` of a block.
[[nodiscard]] BlockFacts decode_part(const BlockProfile::Block& block, std::size_t first,
                                     std::size_t last);

/// How many instructions of the block the engine really has: all, or all but a provisional tail
/// that is cut short.
[[nodiscard]] std::size_t instruction_count(const BlockProfile::Block& block);

/// ImageCounts::path of the code in a mapping, null if that is unknown.
[[nodiscard]] std::string image_name(const BlockProfile::Mapping* mapping);

/// Turns profiles of one run into counts. Remembers decoded blocks, so that snapshots cost little.
class BlockCounter {
 public:
  /// `via` names the engine in every thread's row.
  explicit BlockCounter(std::string via) : via_(std::move(via)) {}

  [[nodiscard]] RunCounts count(const BlockProfile& profile);

 private:
  const BlockFacts& facts(const BlockProfile::Block& block);

  std::string via_;
  std::unordered_map<std::uint64_t, BlockFacts> facts_;     // by block id
  std::unordered_map<std::string, std::string> build_ids_;  // by path
};

}  // namespace bops::exact
