#include "collectors/exact/decode/instruction.hpp"

#include <Zydis/Zydis.h>

#include <algorithm>
#include <array>
#include <bit>

#include "collectors/exact/decode/memory_access.hpp"
#include "collectors/exact/decode/operation_table.hpp"

namespace bops::exact {
namespace {

using Operands = std::span<const ZydisDecodedOperand>;

const ZydisDecoder& decoder() {
  static const ZydisDecoder instance = [] {
    ZydisDecoder fresh;
    ZydisDecoderInit(&fresh, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    return fresh;
  }();
  return instance;
}

bool is_register(const ZydisDecodedOperand& operand, ZydisRegisterClass register_class) {
  return operand.type == ZYDIS_OPERAND_TYPE_REGISTER &&
         ZydisRegisterGetClass(operand.reg.value) == register_class;
}

// Not from Zydis' element types: they differ between pand and vpand, and between the two sides of a
// conversion.
unsigned vector_bits(const ZydisDecodedInstruction& instruction, Operands operands) {
  if (instruction.avx.vector_length != 0) return instruction.avx.vector_length;
  const bool xmm = std::ranges::any_of(operands, [](const ZydisDecodedOperand& operand) {
    return is_register(operand, ZYDIS_REGCLASS_XMM);
  });
  return xmm ? 128 : 64;
}

std::uint64_t immediate(Operands operands) {
  for (const ZydisDecodedOperand& operand : operands) {
    if (operand.type == ZYDIS_OPERAND_TYPE_IMMEDIATE) return operand.imm.value.u;
  }
  return 0;
}

// Products chosen by the high half of the immediate, and the sums over them, per 128 bits.
std::uint64_t dot_product(unsigned bits, unsigned lane_bits, std::uint64_t imm) {
  const std::uint64_t mask = (std::uint64_t{1} << (128 / lane_bits)) - 1;
  const auto products = static_cast<unsigned>(std::popcount((imm >> 4) & mask));
  return products == 0 ? 0 : (bits / 128) * (2 * products - 1);
}

std::uint64_t times(const Operation& operation, const ZydisDecodedInstruction& instruction,
                    Operands operands) {
  switch (operation.measure) {
    case Measure::kOnce: return 1;
    case Measure::kPerLane: return vector_bits(instruction, operands) / operation.lane_bits;
    case Measure::kDotProductImmediate:
      return dot_product(vector_bits(instruction, operands), operation.lane_bits,
                         immediate(operands));
    case Measure::kStringImmediate: return (immediate(operands) & 1) != 0 ? 8 : 16;
  }
  return 0;
}

// The two sources are the last two operands the assembler shows: xor d,s; vpxor d,a,b.
bool sources_are_the_same(const ZydisDecodedInstruction& instruction, Operands operands) {
  const std::size_t visible = instruction.operand_count_visible;
  if (visible < 2) return false;
  const ZydisDecodedOperand& a = operands[visible - 2];
  const ZydisDecodedOperand& b = operands[visible - 1];
  return a.type == ZYDIS_OPERAND_TYPE_REGISTER && b.type == ZYDIS_OPERAND_TYPE_REGISTER &&
         a.reg.value == b.reg.value;
}

bool adjusts_stack_pointer(Operands operands) {
  if (operands.empty() || operands[0].type != ZYDIS_OPERAND_TYPE_REGISTER) return false;
  const ZydisRegister destination = operands[0].reg.value;
  return (operands[0].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0 &&
         (destination == ZYDIS_REGISTER_RSP || destination == ZYDIS_REGISTER_ESP ||
          destination == ZYDIS_REGISTER_SP);
}

// `cmpsd` names both a string compare and an SSE2 compare.
Operation named_operation(const ZydisDecodedInstruction& instruction) {
  if (instruction.meta.category == ZYDIS_CATEGORY_STRINGOP &&
      instruction.mnemonic == ZYDIS_MNEMONIC_CMPSD) {
    return operation_of(ZYDIS_MNEMONIC_CMPSQ);
  }
  return operation_of(instruction.mnemonic);
}

InstructionClass class_of(const DecodedInstruction& decoded, Kind kind) {
  if (decoded.branch) return InstructionClass::kBranch;
  switch (kind) {
    case Kind::kFloatingPoint: return InstructionClass::kFloatingPoint;
    case Kind::kInteger:
    case Kind::kAddress: return InstructionClass::kInteger;
    case Kind::kBranch:
    case Kind::kNoComputation:
    case Kind::kUnlisted: break;
  }
  if (decoded.load && decoded.store) return InstructionClass::kLoadStore;
  if (decoded.load) return InstructionClass::kLoad;
  if (decoded.store) return InstructionClass::kStore;
  return InstructionClass::kOther;
}

Operations operations_of(const Operation& operation, const ZydisDecodedInstruction& instruction,
                         Operands operands) {
  Operations operations;
  operations.address = indexed_operands(instruction.mnemonic, operands);
  const bool computes = operation.kind >= Kind::kAddress && !adjusts_stack_pointer(operands) &&
                        !(operation.zero_of_itself && sources_are_the_same(instruction, operands));
  if (!computes) return operations;
  const std::uint64_t count = operation.weight * times(operation, instruction, operands);
  if (operation.kind == Kind::kAddress) operations.address += count;
  if (operation.kind == Kind::kInteger) operations.integer = count;
  if (operation.kind == Kind::kFloatingPoint) operations.floating_point = count;
  return operations;
}

}  // namespace

DecodedInstruction decode_instruction(std::span<const std::uint8_t> bytes) {
  ZydisDecodedInstruction instruction;
  std::array<ZydisDecodedOperand, ZYDIS_MAX_OPERAND_COUNT> storage;
  // MVEX is Knights Corner's; to every other CPU these bytes are no instruction.
  if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder(), bytes.data(), bytes.size(), &instruction,
                                           storage.data())) ||
      instruction.encoding == ZYDIS_INSTRUCTION_ENCODING_MVEX) {
    return {};
  }
  const Operands operands = std::span(storage).first(instruction.operand_count);
  const Operation operation = named_operation(instruction);
  const MemoryAccess access = memory_access(instruction.mnemonic, operands);

  DecodedInstruction decoded;
  decoded.length = instruction.length;
  decoded.known = true;
  decoded.load = access.load;
  decoded.store = access.store;
  decoded.branch = operation.kind == Kind::kBranch;
  decoded.instruction_class = class_of(decoded, operation.kind);
  decoded.operations = operations_of(operation, instruction, operands);
  decoded.assumes_tile_size = operation.assumes_tile_size;
  return decoded;
}

InstructionCounts DecodedInstruction::counts() const {
  return {.total = 1, .loads = load, .stores = store, .branches = branch};
}

InstructionClasses DecodedInstruction::classes() const {
  InstructionClasses classes;
  switch (instruction_class) {
    case InstructionClass::kBranch: classes.branch = 1; break;
    case InstructionClass::kLoad: classes.load = 1; break;
    case InstructionClass::kStore: classes.store = 1; break;
    case InstructionClass::kLoadStore: classes.load_store = 1; break;
    case InstructionClass::kFloatingPoint: classes.floating_point = 1; break;
    case InstructionClass::kInteger: classes.integer = 1; break;
    case InstructionClass::kOther: classes.other = 1; break;
  }
  return classes;
}

}  // namespace bops::exact
