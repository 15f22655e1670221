// Why the decoder accepts what Zydis does not.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <vector>

#include "collectors/exact/native/engine/instruction.hpp"

namespace bops::native {

enum class Reason {
  kNone,  ///< a defect
  kLock,  ///< LOCK where none is allowed: #UD; without it Zydis knows the rest
  /// A VEX, EVEX or XOP field has a reserved value, and with another Zydis knows it; or a control
  /// or debug register does not exist: #UD.
  kReservedField,
  kNewer,     ///< defined after Zydis 4.0
  kBoundNop,  ///< MPX with a reserved register: a nop, without MPX
};

/// Remembers what it found out about an opcode.
class UnknownToZydis {
 public:
  /// `ours`: what the decoder made of `bytes`, which Zydis refuses.
  [[nodiscard]] Reason reason(std::span<const std::uint8_t> bytes, const Instruction& ours);

 private:
  bool without_lock(std::span<const std::uint8_t> bytes, const Instruction& ours);
  bool other_field(std::span<const std::uint8_t> bytes, const Instruction& ours);

  std::set<std::vector<std::uint8_t>> explained_;  ///< vector opcodes
};

}  // namespace bops::native
