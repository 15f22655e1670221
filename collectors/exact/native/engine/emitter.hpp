/// Writes the few forms of machine code that the engine inserts. inserted_code.cpp understands
/// exactly these.
#ifndef BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_EMITTER_HPP
#define BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_EMITTER_HPP

#include "collectors/exact/native/engine/area.hpp"

namespace bops::native {

class Emitter {
 public:
  explicit Emitter(std::uint8_t* at) : at_(at) {}
  [[nodiscard]] std::uint8_t* at() const { return at_; }
  [[nodiscard]] Word address() const { return reinterpret_cast<Word>(at_); }

  void byte(unsigned value) { *at_++ = static_cast<std::uint8_t>(value); }
  void word32(Word value) {
    for (int i = 0; i < 4; ++i) byte(static_cast<unsigned>(value >> (8 * i)) & 0xff);
  }
  void word64(Word value) {
    word32(value & 0xffffffff);
    word32(value >> 32);
  }
  void bytes(const std::uint8_t* from, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) byte(from[i]);
  }

  /// mov gs:[offset], reg
  void store_gs(unsigned reg, int offset) { move_gs(0x89, reg, offset); }
  /// mov reg, gs:[offset]
  void load_gs(unsigned reg, int offset) { move_gs(0x8b, reg, offset); }
  /// mov dword gs:[offset], value
  void set_gs32(int offset, std::uint32_t value) {
    byte(0x65);
    byte(0xc7);
    absolute(0);
    word32(static_cast<Word>(static_cast<std::int64_t>(offset)));
    word32(value);
  }
  /// inc qword gs:[offset]; changes all arithmetic flags but CF
  void increment_gs(int offset) {
    byte(0x65);
    byte(0x48);
    byte(0xff);
    absolute(0);
    word32(static_cast<Word>(static_cast<std::int64_t>(offset)));
  }
  /// add qword gs:[offset], value; changes all arithmetic flags
  void add_gs(int offset, unsigned value) {
    byte(0x65);
    byte(0x48);
    byte(0x83);
    absolute(0);
    word32(static_cast<Word>(static_cast<std::int64_t>(offset)));
    byte(value);
  }
  /// lea reg, [reg + value], for value < 128; reg is neither RSP nor R12
  void add_register(unsigned reg, unsigned value) {
    byte(0x48 | (reg >> 3 << 2) | (reg >> 3));
    byte(0x8d);
    byte(0x40 | ((reg & 7) << 3) | (reg & 7));
    byte(value);
  }
  /// jmp gs:[offset]
  void jump_gs(int offset) {
    byte(0x65);
    byte(0xff);
    absolute(4);
    word32(static_cast<Word>(static_cast<std::int64_t>(offset)));
  }
  /// mov ecx, gs:[ecx * 4 + GS_TABLE]: the address is taken modulo 4 GiB, and so within the table
  void load_table_entry() {
    byte(0x67);
    byte(0x65);
    byte(0x8b);
    byte(0x0c);
    byte(0x8d);
    word32(GS_TABLE);
  }
  /// lea rcx, [rcx + displacement]
  void add_rcx(std::uint32_t displacement) {
    byte(0x48);
    byte(0x8d);
    byte(0x89);
    word32(displacement);
  }
  /// lea rsp, [rsp + displacement]
  void add_rsp(std::uint32_t displacement) {
    byte(0x48);
    byte(0x8d);
    byte(0xa4);
    byte(0x24);
    word32(displacement);
  }
  void pop_rcx() { byte(0x59); }
  /// mov reg, value; the short form where the value is 32 bits wide
  void set_register(unsigned reg, Word value) {
    if (value >> 32 == 0) {
      if (reg >= 8) byte(0x41);
      byte(0xb8 | (reg & 7));
      word32(value);
      return;
    }
    byte(0x48 | (reg >> 3));
    byte(0xb8 | (reg & 7));
    word64(value);
  }
  /// Pushes a return address.
  void push(Word value) {
    byte(0x68);
    word32(value & 0xffffffff);
    if (value < 0x80000000 || value >= 0xffffffff80000000) return;
    byte(0xc7);  // mov dword [rsp + 4], high half
    byte(0x44);
    byte(0x24);
    byte(0x04);
    word32(value >> 32);
  }
  /// jmp rel32
  void jump(Word target) {
    byte(0xe9);
    relative(target);
  }
  /// jcc rel32
  void jump_if(unsigned condition, Word target) {
    byte(0x0f);
    byte(0x80 | condition);
    relative(target);
  }
  /// A displacement relative to its own end.
  void relative(Word target) { word32(target - (address() + 4)); }
  /// No-operation bytes, such that the 4 bytes that begin `ahead` bytes further lie within one
  /// cache line, and so can be replaced at once while other threads execute them.
  void keep_in_line(unsigned ahead) {
    while (((address() + ahead) & 63) > 60) byte(kNop);
  }
  void align(unsigned alignment) {
    while (address() % alignment != 0) byte(kNop);
  }

  static constexpr unsigned kNop = 0x90;

 private:
  /// ModRM and SIB of an absolute address, with `digit` in the reg field.
  void absolute(unsigned digit) {
    byte(0x04 | (digit << 3));
    byte(0x25);
  }
  void move_gs(unsigned opcode, unsigned reg, int offset) {
    byte(0x65);
    byte(0x48 | (reg >> 3 << 2));
    byte(opcode);
    absolute(reg & 7);
    word32(static_cast<Word>(static_cast<std::int64_t>(offset)));
  }

  std::uint8_t* at_;
};

}  // namespace bops::native

#endif
