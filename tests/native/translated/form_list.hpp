// Every instruction form that Zydis can decode, found by trying all encodings.
#pragma once

#include <Zydis/Zydis.h>

#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <vector>

namespace bops::native {

class Random : public std::mt19937_64 {
 public:
  using std::mt19937_64::mt19937_64;
  unsigned below(unsigned limit) { return static_cast<unsigned>((*this)() % limit); }
};

enum class Coding : std::uint8_t { kLegacy, kVex, kXop, kEvex };

struct Encoding {
  Coding coding = Coding::kLegacy;
  std::uint8_t map = 0;
  std::uint8_t opcode = 0;
  std::uint8_t prefix = 0;  ///< 0, 0x66, 0xf3 or 0xf2
  bool wide = false;
  std::uint8_t length = 0;  ///< of vectors: 128, 256, 512 bits
  std::uint8_t digit = 0;   ///< ModRM.reg
  bool memory = false;
  bool locked = false;
};

/// One mnemonic with one shape of operands.
struct Form {
  Encoding encoding;
  std::vector<std::uint8_t> digits;  ///< that make the same form
  ZydisMnemonic mnemonic = ZYDIS_MNEMONIC_INVALID;
  bool has_memory = false;  ///< an operand with a ModRM byte
  bool vector_index = false;
  std::string name;
};

struct Decoded {
  ZydisDecodedInstruction instruction;
  ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
  std::span<const ZydisDecodedOperand> all() const { return {operands, instruction.operand_count}; }
};

bool decode(std::span<const std::uint8_t> bytes, Decoded& decoded);

/// Where a memory operand may point. Bit i stands for register i.
struct Addressing {
  std::uint16_t bases = 0;    ///< hold addresses of data
  std::uint16_t indexes = 0;  ///< hold small numbers
  bool fs = false;            ///< may use FS
  bool rip = false;           ///< only relative to RIP
};

/// Bytes of the form with registers and all else at random, at most 15; may be no instruction.
std::vector<std::uint8_t> encode(const Form& form, const Addressing& addressing, Random& random);

/// Those that may be executed anywhere: no transfers of control, no system calls, nothing that
/// would disturb the runner.
std::vector<Form> executable_forms();

}  // namespace bops::native
