// From block profiles to counts: each block is decoded once, and counted as often as it ran.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "collectors/exact/block_index.hpp"
#include "collectors/exact/block_profile.hpp"
#include "collectors/exact/decode/instruction_memory.hpp"
#include "model/run_counts.hpp"

namespace bops::exact {

/// One execution of a block, or of a part of one.
struct BlockFacts {
  InstructionCounts instructions;
  Operations operations;
  InstructionClasses classes;
  bool has_unknown = false;  ///< of some instruction there is no decoding
  bool assumes_tile_size = false;
};

/// Sums of one thing, in the wrapping arithmetic that block_profile.h asks for: one block's share
/// may be negative, no sum is.
struct BlockSum {
  InstructionCounts instructions;
  Operations operations;
  InstructionClasses classes;

  void add(const BlockFacts& facts, std::uint64_t times);
  void add(const BlockSum& other);
  [[nodiscard]] Counts counts() const { return {instructions, operations, classes}; }
};

/// How many instructions of the block the engine really has: all, or all but a provisional tail
/// that is cut short.
[[nodiscard]] std::size_t instruction_count(const BlockProfile::Block& block);

/// The blocks of a profile, each decoded when it is first asked for. Neither may end before this.
class DecodedBlocks {
 public:
  DecodedBlocks(const BlockProfile& profile, InstructionMemory& memory);

  [[nodiscard]] const BlockProfile& profile() const { return profile_; }
  /// The place of a block in the profile, which must have it.
  [[nodiscard]] std::size_t place_of(std::uint64_t id) const { return index_.find(id); }
  [[nodiscard]] const BlockFacts& facts(std::size_t place);
  /// Of the instructions `first` ... `last - 1`.
  [[nodiscard]] BlockFacts facts_of_part(std::size_t place, std::size_t first, std::size_t last);
  /// The bytes in hex of each of these instructions that has no decoding.
  [[nodiscard]] std::vector<std::string> unknown(std::size_t place, std::size_t first,
                                                 std::size_t last);

 private:
  const BlockProfile& profile_;
  InstructionMemory& memory_;
  BlockIndex index_;
  std::vector<std::uint32_t> places_;  // in facts_, by place of the block; 0: not yet
  std::vector<BlockFacts> facts_;      // the first stands for none
};

/// ImageCounts::path of the code in a mapping, null if that is unknown.
[[nodiscard]] std::string image_name(const BlockProfile::Mapping* mapping);

/// Turns profiles of one run into counts. Remembers instructions, so that snapshots cost little.
class BlockCounter {
 public:
  /// `via` names the engine in every thread's row.
  /// Images whose file names start with one of `instruments` are no part of the target.
  explicit BlockCounter(std::string via, std::vector<std::string> instruments = {})
      : via_(std::move(via)), instruments_(std::move(instruments)) {}

  [[nodiscard]] RunCounts count(const BlockProfile& profile);
  /// With the functions, too, which takes the symbols of every image.
  [[nodiscard]] RunCounts count_with_functions(const BlockProfile& profile);

 private:
  [[nodiscard]] RunCounts count(DecodedBlocks& blocks);
  [[nodiscard]] bool is_instrument(const std::string& path) const;
  [[nodiscard]] std::vector<ImageCounts> image_rows(const std::map<std::string, Counts>& sums);

  std::string via_;
  std::vector<std::string> instruments_;
  InstructionMemory memory_;
  std::unordered_map<std::string, std::string> build_ids_;  // by path
};

}  // namespace bops::exact
