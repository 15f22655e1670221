// Any bytes must decode to an answer that is consistent with itself: the decoder sees whatever the
// target executes, data and code under construction included.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <vector>

#include "collectors/exact/decode/instruction.hpp"

namespace {

using bops::exact::decode_instruction;
using bops::exact::DecodedInstruction;
using bops::exact::InstructionClass;

void require(bool holds, const char* property) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", property);
  std::abort();
}

bool same(const DecodedInstruction& a, const DecodedInstruction& b) {
  return a.length == b.length && a.known == b.known && a.counts() == b.counts() &&
         a.classes() == b.classes() && a.operations == b.operations &&
         a.assumes_tile_size == b.assumes_tile_size;
}

bool is_move(InstructionClass instruction_class) {
  return instruction_class == InstructionClass::kLoad ||
         instruction_class == InstructionClass::kStore ||
         instruction_class == InstructionClass::kLoadStore;
}

void check_known(const DecodedInstruction& decoded, std::span<const std::uint8_t> bytes) {
  require(decoded.length >= 1 && decoded.length <= 15, "an instruction has 1 to 15 bytes");
  require(decoded.length <= bytes.size(), "an instruction lies within the bytes given");
  // A copy of the exact size, so that the address sanitizer sees a read beyond it.
  const std::vector<std::uint8_t> exact(bytes.begin(), bytes.begin() + decoded.length);
  require(same(decode_instruction(exact), decoded), "what follows does not change the answer");
  require(decoded.branch == (decoded.instruction_class == InstructionClass::kBranch),
          "the class of a branch, and of nothing else, is branch");
  require(!is_move(decoded.instruction_class) || decoded.operations.computation() == 0,
          "a move computes nothing");
  require(!is_move(decoded.instruction_class) || decoded.load || decoded.store,
          "a move loads or stores");
  require(decoded.instruction_class != InstructionClass::kOther ||
              decoded.operations.computation() == 0,
          "what computes is integer or floating point");
  require(decoded.operations.integer == 0 || decoded.operations.floating_point == 0,
          "one instruction computes in one domain");
}

void check_unknown(const DecodedInstruction& decoded) {
  require(same(decoded, DecodedInstruction{}), "unknown bytes count in the total only");
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::span<const std::uint8_t> bytes(data, size);
  while (!bytes.empty()) {
    const DecodedInstruction decoded = decode_instruction(bytes);
    require(same(decoded, decode_instruction(bytes)), "same bytes, same answer");
    require(decoded.counts().total == 1, "an instruction is one instruction");
    require(decoded.classes().total() == 1, "an instruction is in one class");
    decoded.known ? check_known(decoded, bytes) : check_unknown(decoded);
    bytes = bytes.subspan(std::max<std::size_t>(decoded.length, 1));
  }
  return 0;
}
