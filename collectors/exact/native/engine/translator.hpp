/// Guest code -> code in the cache.
///
/// Guest instructions are copied as they are, but for displacements relative to RIP and for
/// transfers of control. One counter is inserted in each block. No register and no flag that the
/// guest may still look at is changed; so between two guest instructions only RIP differs from what
/// it would be natively.
#ifndef BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_TRANSLATOR_HPP
#define BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_TRANSLATOR_HPP

#include "collectors/exact/native/engine/code_cache.hpp"
#include "collectors/exact/native/engine/instruction.hpp"
#include "collectors/exact/native/engine/memory_map.hpp"

namespace bops::native {

class Translator {
 public:
  static constexpr int kMaxBlocks = 24;  ///< of a trace

  explicit Translator(CodeCache& owner) : cache_(owner), hot_(owner.hot_), cold_(owner.cold_) {}
  /// Translates the trace that begins at `pc`, whose first block is not translated yet. Returns the
  /// cache address to jump to.
  Word translate(Word pc, int max_blocks = kMaxBlocks);
  /// The same for one instruction, which is not made known under its address.
  Word translate_one(Word pc);

 private:
  static constexpr int kMaxInstructions = 96;  ///< of a block
  static constexpr int kMaxCopies = 16;        ///< of the body of a loop
  static constexpr int kMaxJoined = 3;         ///< pieces joined to a block
  static constexpr int kMaxJoinedSize = 16;    ///< instructions of such a piece

  struct GuestInstruction {
    Instruction decoded;
    Word pc;
    bool is_joined;  ///< a jump or call whose target's code follows in the block
    [[nodiscard]] Word next() const { return pc + decoded.length; }
    [[nodiscard]] Word branch_target() const {
      return next() + static_cast<Word>(decoded.immediate);
    }
    [[nodiscard]] const std::uint8_t* code() const {
      return reinterpret_cast<const std::uint8_t*>(pc);
    }
  };
  /// Where a block's counter goes.
  struct CounterPlace {
    enum Way : std::uint8_t { kIncrement, kDeadRegister, kSpill, kSequence } way;
    int before;    ///< this instruction; == count: behind the body, or within the sequence
    unsigned reg;  ///< kDeadRegister
  };

  /// Decodes the block at `pc` into guest_; false if not even one instruction can be.
  bool decode_block(Word pc);
  [[nodiscard]] bool is_unrollable() const;
  [[nodiscard]] CounterPlace place_counter(bool all_flags) const;
  /// Whether the code that the last instruction jumps to or calls may follow it in the block.
  [[nodiscard]] bool may_join() const;
  bool open_block(Word pc);
  void record_piece(std::uint32_t number, int first, int last, std::uint32_t follows);

  [[nodiscard]] unsigned code_size() const;
  void emit_block();
  void emit_body(bool is_last_copy, const CounterPlace& place);
  void emit_counter(const CounterPlace& place);
  void emit_copy(const GuestInstruction& instruction);
  void emit_far_copy(const GuestInstruction& instruction, Word target);
  /// The sequence for the last instruction; true if the trace goes on at next_.
  bool emit_sequence(const CounterPlace& place);
  void emit_conditional();
  void emit_loop();
  void emit_call();
  void emit_indirect(const CounterPlace& place);
  void emit_target_load(const GuestInstruction& instruction);
  void emit_return(const CounterPlace& place);
  void emit_transfer();
  void emit_system_call();
  void emit_loop_exits(const std::uint32_t* patches, int count);
  /// A rel32 to guest address `pc`: to its block, or to an exit until that is translated.
  void emit_link(Word pc);
  void emit_spilled_count(Emitter& out, unsigned executions) const;
  void add_item(std::uint8_t* from, unsigned flags);

  [[nodiscard]] const GuestInstruction& last() const { return guest_[count_ - 1]; }
  [[nodiscard]] bool has_sequence() const {
    return last().decoded.control != Control::kNone && last().decoded.control != Control::kTrap;
  }
  [[nodiscard]] int body_count() const { return has_sequence() ? count_ - 1 : count_; }

  CodeCache& cache_;
  int max_instructions_ = kMaxInstructions;
  Emitter hot_;
  Emitter cold_;
  GuestInstruction guest_[kMaxInstructions];
  int count_ = 0;
  int joined_ = 0;
  Word next_ = 0;
  Block* block_ = nullptr;
};

}  // namespace bops::native

#endif
