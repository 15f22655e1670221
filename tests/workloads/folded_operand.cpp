#include "tests/workloads/folded_operand.hpp"

#include <Zydis/Zydis.h>

#include <array>

namespace bops::workloads {
namespace {

bool is_move(ZydisMnemonic mnemonic) {
  switch (mnemonic) {
    case ZYDIS_MNEMONIC_MOV:
    case ZYDIS_MNEMONIC_MOVSX:
    case ZYDIS_MNEMONIC_MOVSXD:
    case ZYDIS_MNEMONIC_MOVZX:
    case ZYDIS_MNEMONIC_MOVSD:
    case ZYDIS_MNEMONIC_MOVAPD:
    case ZYDIS_MNEMONIC_MOVAPS:
    case ZYDIS_MNEMONIC_MOVQ:
    case ZYDIS_MNEMONIC_LEA:
    case ZYDIS_MNEMONIC_NOP: return true;
    default: return false;
  }
}

}  // namespace

std::vector<std::string> folded_operands(std::span<const std::uint8_t> code) {
  std::vector<std::string> found;
  ZydisDecoder decoder;
  ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
  ZydisFormatter formatter;
  ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_INTEL);
  while (!code.empty()) {
    ZydisDecodedInstruction instruction;
    std::array<ZydisDecodedOperand, ZYDIS_MAX_OPERAND_COUNT> operands;
    if (ZYAN_FAILED(ZydisDecoderDecodeFull(&decoder, code.data(), code.size(), &instruction,
                                           operands.data()))) {
      found.emplace_back("undecodable");
      return found;
    }
    for (std::size_t i = 0; i < instruction.operand_count_visible; ++i) {
      if (operands[i].type != ZYDIS_OPERAND_TYPE_MEMORY || is_move(instruction.mnemonic)) continue;
      std::array<char, 128> text{};
      ZydisFormatterFormatInstruction(&formatter, &instruction, operands.data(),
                                      instruction.operand_count_visible, text.data(), text.size(),
                                      0, nullptr);
      found.emplace_back(text.data());
    }
    code = code.subspan(instruction.length);
  }
  return found;
}

}  // namespace bops::workloads
