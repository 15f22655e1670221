#include "collectors/exact/native/engine/inserted_code.hpp"

#include "collectors/exact/native/engine/counters.hpp"
#include "collectors/exact/native/engine/instruction.hpp"

namespace bops::native {
namespace {

/// What emit_far_copy adds to an instruction: borrow a register, set it, give it back; the
/// displacement of 4 bytes is gone.
constexpr unsigned kFarStore = 9, kFarPrefix = kFarStore + 10, kFarAdded = kFarPrefix + 9 - 4;

template <class T>
T load(Word address) {
  T value{};
  __builtin_memcpy(&value, reinterpret_cast<const void*>(address), sizeof value);
  return value;
}

/// The forms that Emitter writes, one instruction at a time.
class Interpreter {
 public:
  Interpreter(const Area* area, MachineContext& machine) : area_(area), machine_(machine) {}

  /// Carries out the instruction at RIP. False if it leaves the cache: then `exit` says how.
  bool step(std::uint32_t& exit);

 private:
  bool step_gs(std::uint32_t& exit);
  void step_rex();
  [[nodiscard]] unsigned at(unsigned offset) const {
    return load<std::uint8_t>(machine_.rip + offset);
  }
  [[nodiscard]] std::int64_t displacement(unsigned offset) const {
    return load<std::int32_t>(machine_.rip + offset);
  }
  [[nodiscard]] Word& slot(unsigned offset) const {
    return *static_cast<Word*>(at_gs(area_, displacement(offset)));
  }
  void skip(unsigned bytes) { machine_.rip += bytes; }
  [[noreturn]] static void unknown() { give_up("inserted code is not understood"); }

  const Area* area_;
  MachineContext& machine_;
};

bool Interpreter::step(std::uint32_t& exit) {
  const unsigned opcode = at(0);
  switch (opcode) {
    case 0x65: return step_gs(exit);
    case 0x67:  // load_table_entry
      machine_.rcx = load<std::uint32_t>(
          gs_of(area_) + ((machine_.rcx * 4 + static_cast<Word>(displacement(5))) & 0xffffffff));
      skip(9);
      return true;
    case 0x90: skip(1); return true;
    case 0xe9: machine_.rip += 5 + static_cast<Word>(displacement(1)); return true;
    case 0xeb:
      machine_.rip += 2 + static_cast<Word>(std::int64_t{load<std::int8_t>(machine_.rip + 1)});
      return true;
    case 0xe3:  // of checked_entry
      machine_.rip += 2 + (machine_.rcx == 0 ? at(1) : 0);
      return true;
    case 0xc7:  // the second half of a push
      *reinterpret_cast<std::uint32_t*>(machine_.rsp + 4) = load<std::uint32_t>(machine_.rip + 4);
      skip(8);
      return true;
    default: break;
  }
  if (opcode >> 4 == 4) {
    step_rex();
    return true;
  }
  if (opcode >= 0xb8 && opcode <= 0xbf) {
    register_of(machine_, opcode & 7) = load<std::uint32_t>(machine_.rip + 1);
    skip(5);
    return true;
  }
  unknown();
}

bool Interpreter::step_gs(std::uint32_t& exit) {
  if (at(1) == 0xff) {  // jump_gs
    if (displacement(4) == GS_ENTER) {
      exit = area_->exit;
      return false;
    }
    machine_.rip = slot(4);
    return true;
  }
  if (at(1) == 0xc7) {  // set_gs32
    exit = load<std::uint32_t>(machine_.rip + 8);
    return false;
  }
  Word& value = slot(5);
  const unsigned opcode = at(2);
  const unsigned reg = ((at(1) & 4) << 1) | (at(3) >> 3 & 7);
  switch (opcode) {
    case 0x89: value = register_of(machine_, reg); break;
    case 0x8b: register_of(machine_, reg) = value; break;
    case 0xff: ++value; break;  // no flag that it changes is looked at any more
    case 0x83: value += at(9); break;
    default: unknown();
  }
  skip(opcode == 0x83 ? 10 : 9);
  return true;
}

void Interpreter::step_rex() {
  const unsigned extension = (at(0) & 1) << 3;
  const unsigned opcode = at(1);
  if (opcode >= 0xb8 && opcode <= 0xbf) {  // set_register
    const bool is_wide = (at(0) & 8) != 0;
    register_of(machine_, (opcode & 7) | extension) =
        is_wide ? load<Word>(machine_.rip + 2) : load<std::uint32_t>(machine_.rip + 2);
    skip(is_wide ? 10 : 6);
    return;
  }
  if (opcode != 0x8d) unknown();
  switch (at(2)) {
    case 0x89:  // add_rcx
      machine_.rcx += static_cast<Word>(displacement(3));
      skip(7);
      return;
    case 0xa4:  // add_rsp
      machine_.rsp += static_cast<Word>(displacement(4));
      skip(8);
      return;
    case 0x0c:  // of checked_entry
      machine_.rcx += machine_.rdx;
      skip(4);
      return;
    default:  // add_register
      register_of(machine_, (at(2) & 7) | extension) += at(3);
      skip(4);
      return;
  }
}

/// `completed` instructions of a block in copy number `copy`.
Position inside(const Block& block, unsigned completed, unsigned copy, bool counted) {
  Word pc = block.pc;
  unsigned first = 0;  // instruction at pc
  for (unsigned i = 0; i < block.joined_count; ++i) {
    const JoinedPiece& piece = cache.joined_piece(block.joined + i);
    if (piece.first > completed) break;
    pc = piece.pc;
    first = piece.first;
  }
  unsigned instruction = 0;
  const std::uint8_t* const items = cache.item(block.items);
  for (unsigned i = 0; instruction < completed; ++i) {
    if ((items[i] & kItemInserted) != 0) continue;
    const unsigned length = items[i] & kItemLength;
    if (instruction >= first) pc += (items[i] & kItemFar) != 0 ? length - kFarAdded : length;
    ++instruction;
  }
  return {pc, &block, completed, copy, counted};
}

/// A joined jump has no code: where it comes first, the start of the block is behind it already.
bool starts_with_jump(const Block& block) {
  return block.item_count > 0 && (*cache.item(block.items) & kItemLength) == 0;
}

/// At or in an item of the body. True: `position` is a boundary.
bool settle_in_body(const Area* area, const Block& block, MachineContext& machine,
                    Position& position) {
  const std::uint8_t* const items = cache.item(block.items);
  Word address = block.start;
  unsigned completed = 0, copy = 0;
  for (std::uint32_t i = 0; i < block.item_count; ++i) {
    const unsigned length = items[i] & kItemLength;
    const bool is_inserted = (items[i] & kItemInserted) != 0;
    if (machine.rip < address + length) {
      if (is_inserted) return false;
      if ((items[i] & kItemFar) != 0 && machine.rip != address) {
        const Word guest = address + kFarPrefix;
        if (machine.rip > guest) return false;  // only the register is still to be given back
        // What was borrowed comes back; from `mov gs:, reg` the register's number.
        const unsigned reg = load<std::uint8_t>(address + 3) >> 3 & 7;
        register_of(machine, reg) = area->far_spill;
        machine.rip = address;
      }
      const bool is_last_copy = copy + 1U == block.copies;
      position = inside(block, completed, copy, is_last_copy && completed >= block.counted_before);
      return true;
    }
    address += length;
    if (!is_inserted && ++completed == block.instructions) {
      completed = 0;
      ++copy;
    }
  }
  give_up("no item where a block was interrupted");
}

bool settle_system_call(const Block& block, MachineContext& machine, unsigned offset,
                        Position& position) {
  if (offset > block.rewind_end) return false;
  constexpr Word kSystemCallSize = 2;
  const Word after = Word{block.last} + block.rewind_end + kSystemCallSize;
  position = inside(block, block.instructions - 1U, block.copies - 1U, true);
  // The instruction leaves its own end in RCX: then it was executed, and the kernel wants it again.
  if (offset == block.rewind_end && machine.rcx == after) position.block = nullptr;
  return true;
}

/// In the sequence for the last instruction.
bool settle_in_sequence(const Area* area, const Block& block, MachineContext& machine,
                        Position& position) {
  const auto offset = static_cast<unsigned>(machine.rip - block.last);
  const unsigned completed = block.instructions - 1U;
  const unsigned copy = block.copies - 1U;
  const bool counted = completed >= block.counted_before;
  const auto control = static_cast<Control>(block.control);
  const auto not_begun = [&](bool is_counted) {
    position = inside(block, completed, copy, is_counted);
    return true;
  };
  if (offset == 0) return not_begun(counted);
  switch (control) {
    case Control::kSystemCall: return settle_system_call(block, machine, offset, position);
    case Control::kConditional:
    case Control::kTransaction: {
      const unsigned opcode = load<std::uint8_t>(machine.rip);
      return (opcode == 0x0f || opcode == 0xc7) && not_begun(counted);
    }
    case Control::kIndirectJump:
    case Control::kIndirectCall:
    case Control::kReturn:
      if (offset < block.rewind_end) {
        machine.rcx = area->saved_rcx;
        return not_begun(counted || (block.rewind_counted != 0 && offset >= block.rewind_counted));
      }
      // RCX is the guest's again, and nothing else has changed.
      if (block.push_at != 0 && offset == block.push_at) return not_begun(true);
      return false;
    default: return false;
  }
}

Position settle_exit(const Area* area, std::uint32_t index) {
  const Exit& exit = cache.exit(index);
  if (exit.kind == ExitKind::kIndirect) return {area->target, nullptr, 0, 0, false};
  if (exit.kind == ExitKind::kSystemCall) {
    const Block& block = *cache.block_at(exit.inline_call);
    return inside(block, block.instructions - 1U, block.copies - 1U, true);
  }
  return {exit.pc, nullptr, 0, 0, false};
}

}  // namespace

Word& register_of(MachineContext& machine, unsigned number) {
  switch (number) {
    case kRax: return machine.rax;
    case kRcx: return machine.rcx;
    case kRdx: return machine.rdx;
    case kRbx: return machine.rbx;
    case kRsp: return machine.rsp;
    case kRbp: return machine.rbp;
    case kRsi: return machine.rsi;
    case kRdi: return machine.rdi;
    default: return (&machine.r8)[number - kR8];
  }
}

Position settle(const Area* area, MachineContext& machine) {
  Interpreter interpreter(area, machine);
  for (;;) {
    if (const Block* block = cache.block_at(machine.rip)) {
      Position position{};
      if (machine.rip == block->start && !starts_with_jump(*block))
        return {block->pc, nullptr, 0, 0, false};
      if (machine.rip < block->last ? settle_in_body(area, *block, machine, position)
                                    : settle_in_sequence(area, *block, machine, position))
        return position;
    }
    std::uint32_t exit = 0;
    if (!interpreter.step(exit)) return settle_exit(area, exit);
  }
}

void leave_block(Area* area, const Position& position) {
  if (!position.block) return;
  const Block& block = *position.block;
  const unsigned completed = position.completed;
  if (!position.counted) {
    counter_of(area, block.number) += position.iterations + (completed > 0 ? 1 : 0);
    if (completed == 0) return;
  }
  unsigned first = 0;
  for (unsigned i = 0; i <= block.joined_count; ++i) {
    const unsigned end = i < block.joined_count
                             ? unsigned{cache.joined_piece(block.joined + i).first}
                             : unsigned{block.instructions};
    if (completed < end)
      count_partial(area, block.number + i, completed > first ? completed - first : 0);
    first = end;
  }
}

}  // namespace bops::native
