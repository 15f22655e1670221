// The table of encodings under tests/fixtures/decode: one encoding and what it counts as per line.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "collectors/exact/decode/instruction.hpp"

namespace bops::exact {

struct GoldenRow {
  std::string line;  ///< for messages
  std::vector<std::uint8_t> bytes;
  DecodedInstruction expected;  ///< without assumes_tile_size
};

/// Reads the table; a line that is no row, comment or empty throws (the table is ours).
[[nodiscard]] std::vector<GoldenRow> read_golden_table(const std::string& path);

[[nodiscard]] std::string to_string(InstructionClass instruction_class);

}  // namespace bops::exact
