// The engine's decoder held against Zydis, one instruction at a time.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "collectors/exact/native/engine/instruction.hpp"

namespace bops::native {

enum class Verdict {
  kNeither,    ///< both say that it is no instruction
  kSame,       ///< both accept it, and nothing contradicts
  kDifferent,  ///< both accept it, and something does
  kOnlyOurs,
  kOnlyZydis,
  kExcluded,  ///< Zydis accepts it, and the decoder refuses it as its header says
};

struct Comparison {
  Verdict verdict = Verdict::kNeither;
  std::string difference;   ///< of kDifferent and kOnlyZydis: bytes, instruction and what differs
  std::uint8_t length = 0;  ///< Zydis', else ours, else 0
  // What the decoder may get wrong in one direction; true where it did not.
  bool exact_flags = true;
  bool exact_registers = true;
  bool exact_overwritten = true;
  bool user_mode = true;  ///< not a privileged instruction
};

/// Decodes the start of `bytes` with both.
[[nodiscard]] Comparison compare_with_zydis(std::span<const std::uint8_t> bytes);

/// "48 8b 05 …"
[[nodiscard]] std::string hexadecimal(std::span<const std::uint8_t> bytes);

}  // namespace bops::native
