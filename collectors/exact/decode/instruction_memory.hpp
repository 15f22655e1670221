// Decodings that were made before. Programs are written with few distinct instructions: of those
// that python executes while it starts, few are new once displacements are left out.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "collectors/exact/decode/instruction.hpp"

namespace bops::exact {

/// `bytes` with 0 in place of what no decoding depends on (displacements, distances of relative
/// branches), and their number in the last byte. Same key, same decode_instruction().
[[nodiscard]] std::array<std::uint64_t, 2> instruction_key(std::span<const std::uint8_t> bytes);

/// decode_instruction(), which looks an instruction up that it has met.
class InstructionMemory {
 public:
  InstructionMemory() { grow(); }

  /// Of `bytes`, 1 ... 15 of them. The reference holds until the next call.
  [[nodiscard]] const DecodedInstruction& decode(std::span<const std::uint8_t> bytes);

 private:
  struct Place {
    std::array<std::uint64_t, 2> key{};  // {0, 0}: free
    std::uint32_t decoded = 0;           // index
  };
  [[nodiscard]] std::size_t place_of(const std::array<std::uint64_t, 2>& key) const;
  void grow();

  std::vector<Place> places_;  // a power of 2, at most half of them taken
  std::vector<DecodedInstruction> decoded_;
};

}  // namespace bops::exact
