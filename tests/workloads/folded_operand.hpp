// Finds arithmetic that the compiler merged with a memory access.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace bops::workloads {

/// The instructions (as text) that have an explicit memory operand and are neither plain moves nor
/// `lea` nor `nop`. One entry "undecodable" for bytes that are no instruction.
[[nodiscard]] std::vector<std::string> folded_operands(std::span<const std::uint8_t> code);

}  // namespace bops::workloads
