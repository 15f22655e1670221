// One executed x86-64 instruction, classified: the only place that decides what an instruction
// counts as. The rules are counting.md's; README.md in this folder gives the table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "model/instruction_counts.hpp"
#include "model/operation_mix.hpp"

namespace bops::exact {

/// The disjoint class of one instruction, in the order in which the first that fits is taken.
enum class InstructionClass : std::uint8_t {
  kBranch,
  kLoad,
  kStore,
  kLoadStore,
  kFloatingPoint,
  kInteger,
  kOther,
};

struct DecodedInstruction {
  std::uint8_t length = 0;  ///< bytes, 1 ... 15; 0 if the bytes are no complete instruction
  bool known = false;       ///< false: counted in the total only, class kOther
  bool load = false;
  bool store = false;
  bool branch = false;
  InstructionClass instruction_class = InstructionClass::kOther;
  Operations operations;
  /// The operations assume the largest tile: AMX sizes are not in the instruction.
  bool assumes_tile_size = false;

  /// Counts of one execution.
  [[nodiscard]] InstructionCounts counts() const;
  [[nodiscard]] InstructionClasses classes() const;
};

/// Decodes the instruction at the start of `bytes` (64-bit mode), as if it executed fully. Looks at
/// the bytes alone: same bytes, same answer, on any engine.
[[nodiscard]] DecodedInstruction decode_instruction(std::span<const std::uint8_t> bytes);

}  // namespace bops::exact
