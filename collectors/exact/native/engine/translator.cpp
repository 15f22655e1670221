#include "collectors/exact/native/engine/translator.hpp"

#include "collectors/exact/native/engine/counters.hpp"

namespace bops::native {
namespace {

bool is_within_reach(Word target, Word from) {
  const auto distance = static_cast<std::int64_t>(target - from);
  return distance == static_cast<std::int32_t>(distance);
}

bool is_indirect(Control control) {
  return control == Control::kIndirectJump || control == Control::kIndirectCall ||
         control == Control::kReturn;
}

/// How many bytes of code may be read at `pc`, which is in `range`. At most those of one
/// instruction where a page ends soon: behind the end of a file there are mapped pages that fault.
std::size_t code_bytes_in(const ExecutableRange* range, Word pc) {
  constexpr Word kEnough = BOPS_PROFILE_MAX_INSTRUCTION_SIZE, kReadAhead = 64;
  Word available = range->end - pc;
  while (available < kEnough && (range = executable_at(pc + available)) != nullptr)
    available = range->end - pc;
  if (kPageSize - pc % kPageSize >= kReadAhead) return available;
  return available < kEnough ? available : kEnough;
}

/// The same; 0 if it is not executable.
std::size_t code_bytes_at(Word pc) {
  const ExecutableRange* const range = executable_at(pc);
  return range ? code_bytes_in(range, pc) : 0;
}

/// int3, int1: the signal tells the address behind them, which a direct jump that follows in the
/// same block would not have in the cache.
bool is_breakpoint(const Instruction& decoded, const std::uint8_t* code) {
  constexpr unsigned kInt3 = 0xcc, kInt1 = 0xf1;
  const unsigned opcode = code[decoded.prefix_size];
  return opcode == kInt3 || opcode == kInt1;
}

/// RIP-relative addressing ignores the bit that makes the base R8 to R15: it may be set.
void clear_base_extension(std::uint8_t* code, const Instruction& decoded) {
  constexpr unsigned kVex3 = 0xc4, kEvex = 0x62, kXop = 0x8f, kInvertedB = 0x20, kRexB = 1;
  if (decoded.rex != 0) {
    code[decoded.prefix_size - 1] &= static_cast<std::uint8_t>(~kRexB);
    return;
  }
  const unsigned escape = code[decoded.prefix_size];
  const bool has_payload = decoded.modrm_offset >= decoded.prefix_size + 3;
  if (has_payload && (escape == kVex3 || escape == kEvex || escape == kXop))
    code[decoded.prefix_size + 1] |= static_cast<std::uint8_t>(kInvertedB);
}

constexpr int kLookAheadInstructions = 8, kLookAheadBranches = 2;

unsigned live_flags_behind(const Instruction& decoded, Word next, int branches);

/// Flags that code at `pc` may look at before it overwrites them. All of them where the code is not
/// known to stay as it is.
unsigned live_flags_at(Word pc, int branches) {
  unsigned live = 0, killed = 0;
  for (int i = 0; i < kLookAheadInstructions; ++i) {
    const ExecutableRange* const range = executable_at(pc);
    Instruction decoded;
    if (!range || range->writable || range->path[0] == '\0' ||
        !decode_instruction(reinterpret_cast<const std::uint8_t*>(pc), code_bytes_in(range, pc),
                            decoded))
      return live | (kAllFlags & ~killed);
    live |= decoded.flags_read & ~killed;
    killed |= decoded.flags_killed;
    pc += decoded.length;
    if ((live | killed) == kAllFlags) return live;
    if (decoded.control != Control::kNone)
      return live | (live_flags_behind(decoded, pc, branches) & ~killed);
  }
  return live | (kAllFlags & ~killed);
}

/// Flags that may be looked at behind an instruction, whose own reads are not counted.
unsigned live_flags_behind(const Instruction& decoded, Word next, int branches) {
  const Word target = next + static_cast<Word>(decoded.immediate);
  if (branches == 0) return kAllFlags;
  switch (decoded.control) {
    case Control::kNone: return live_flags_at(next, branches - 1);
    case Control::kJump:
    case Control::kCall: return live_flags_at(target, branches - 1);
    case Control::kConditional:
    case Control::kLoop: {
      const unsigned live = live_flags_at(next, branches - 1);
      return live == kAllFlags ? live : live | live_flags_at(target, branches - 1);
    }
    default: return kAllFlags;
  }
}

}  // namespace

Word Translator::translate(Word pc, int max_blocks) {
  Word first = 0;
  cache_.populate_ahead();
  next_ = pc;
  for (int blocks = 0;; ++blocks) {
    if (blocks > 0) {
      const Word known = cache_.find(next_);
      if (known != 0 || blocks >= max_blocks) {
        hot_.keep_in_line(1);
        hot_.byte(0xe9);
        emit_link(next_);
        break;
      }
    }
    if (!decode_block(next_) || !open_block(next_)) {
      const Word exit = hot_.address();
      cache_.emit_exit(
          hot_, cache_.add_exit(count_ == 0 ? ExitKind::kNative : ExitKind::kUncountable, next_));
      if (first == 0) first = exit;
      break;
    }
    emit_block();
    if (first == 0) first = block_->start;
    cache_.remember(*block_);
    if (next_ == 0) break;
  }
  cache_.hot_ = hot_.at();
  cache_.cold_ = cold_.at();
  return first;
}

Word Translator::translate_one(Word pc) {
  max_instructions_ = 1;
  if (!decode_block(pc) || !open_block(pc)) return cache_.enter(pc);
  next_ = pc;
  emit_block();
  if (next_ != 0) {
    hot_.keep_in_line(1);
    hot_.byte(0xe9);
    emit_link(next_);
  }
  cache_.hot_ = hot_.at();
  cache_.cold_ = cold_.at();
  return block_->start;
}

bool Translator::may_join() const {
  const GuestInstruction& instruction = last();
  const Control control = instruction.decoded.control;
  if (max_instructions_ == 1 || (control != Control::kJump && control != Control::kCall))
    return false;
  // Return addresses that one push writes.
  if (control == Control::kCall && instruction.next() >= 0x80000000) return false;
  const Word target = instruction.branch_target();
  if (target == guest_[0].pc) return false;
  const ExecutableRange* const from = executable_at(instruction.pc);
  const ExecutableRange* const to = executable_at(target);
  return from && to && !from->writable && !to->writable;
}

bool Translator::decode_block(Word pc) {
  count_ = 0;
  joined_ = 0;
  int piece = 0;  // where the current one begins
  while (count_ < max_instructions_) {
    if (joined_ > 0 && count_ - piece == kMaxJoinedSize) break;
    GuestInstruction& instruction = guest_[count_];
    // Once for each page that the code reaches into.
    constexpr Word kLongest = BOPS_PROFILE_MAX_INSTRUCTION_SIZE;
    const bool is_new_page = count_ == piece || (pc + kLongest) % kPageSize < 2 * kLongest;
    if (max_instructions_ > 1 && is_new_page && guard_code(pc)) cache_.watch_writes();
    const std::size_t available = code_bytes_at(pc);
    if (available == 0 || !decode_instruction(reinterpret_cast<const std::uint8_t*>(pc), available,
                                              instruction.decoded))
      break;
    instruction.pc = pc;
    const Control control = instruction.decoded.control;
    const bool is_uncountable = control == Control::kGsBase || instruction.decoded.gs_segment;
    if (is_uncountable && count_ > 0) break;
    ++count_;
    pc = instruction.next();
    instruction.is_joined = false;
    if (is_uncountable) instruction.decoded.control = Control::kGsBase;
    if (joined_ < kMaxJoined && may_join()) {
      instruction.is_joined = true;
      ++joined_;
      pc = instruction.branch_target();
      piece = count_;
      continue;
    }
    if (control != Control::kNone || is_uncountable ||
        is_breakpoint(instruction.decoded, instruction.code()))
      return true;
  }
  // A joined piece must end with its block: one that is too long stays a block of its own.
  if (joined_ > 0) {
    count_ = piece;
    --joined_;
    guest_[count_ - 1].is_joined = false;
  }
  return count_ > 0;
}

bool Translator::open_block(Word pc) {
  const auto numbers = static_cast<std::uint32_t>(joined_) + 1;
  const std::uint32_t number = numbers_in_one_window(cache_.next_number_, numbers);
  if (cache_.joined_count_ + numbers > CodeCache::kMaxJoined) return false;
  if (cache_.block_count_ >= CodeCache::kMaxBlocks || !open_window_of(number)) return false;
  block_ = &cache_.blocks_[cache_.block_count_];
  *block_ = Block{};
  block_->pc = pc;
  block_->number = number;
  block_->items = cache_.item_count_;
  block_->instructions = static_cast<std::uint8_t>(count_);
  block_->control = static_cast<std::uint8_t>(last().decoded.control);
  cache_.next_number_ = number + numbers;
  block_->joined = cache_.joined_count_;
  int first = 0;
  std::uint32_t follows = 0;
  for (int i = 0; i < count_; ++i) {
    if (i + 1 < count_ && !guest_[i].is_joined) continue;
    const auto bytes = static_cast<std::uint16_t>(guest_[i].next() - guest_[first].pc);
    if (follows == 0) {
      block_->bytes = bytes;
    } else {
      cache_.joined_[cache_.joined_count_++] = {guest_[first].pc, bytes,
                                                static_cast<std::uint8_t>(first)};
      ++block_->joined_count;
    }
    record_piece(number + follows, first, i + 1, follows);
    first = i + 1;
    ++follows;
  }
  return true;
}

/// Instructions [first, last), which follow one another in the guest's memory.
void Translator::record_piece(std::uint32_t number, int first, int last, std::uint32_t follows) {
  const Word pc = guest_[first].pc;
  const auto count = static_cast<std::uint16_t>(last - first);
  const auto bytes = static_cast<std::uint32_t>(guest_[last - 1].next() - pc);
  ExecutableRange* range = executable_at(pc);
  if (range && range->mapping == BOPS_PROFILE_NONE) {
    const bops_profile_mapping* mapping =
        profile_writer_add_mapping(&engine.writer, range->start, range->end, range->file_offset,
                                   range->device, range->inode, range->path);
    if (mapping) range->mapping = mapping->index;
  }
  bops_profile_block* record =
      profile_writer_new_block(&engine.writer, profile_id(number), count, bytes);
  if (!record) return;
  record->address = pc;
  record->mapping = range ? range->mapping : BOPS_PROFILE_NONE;
  record->flags = follows != 0 ? BOPS_BLOCK_FOLLOWS : 0;
  record->follows = follows;
  for (int i = 0; i < count; ++i) record->data[i] = guest_[first + i].decoded.length;
  __builtin_memcpy(record->data + count, guest_[first].code(), bytes);
  profile_record_publish(&record->record, BOPS_RECORD_BLOCK);
}

/// A loop that consists of this block alone.
bool Translator::is_unrollable() const {
  return last().decoded.control == Control::kConditional && last().branch_target() == guest_[0].pc;
}

Translator::CounterPlace Translator::place_counter(bool all_flags) const {
  const unsigned clobbered = all_flags ? unsigned{kAllFlags} : kAllFlags & ~unsigned{kCarryFlag};
  unsigned live = live_flags_behind(last().decoded, last().next(), kLookAheadBranches);
  int place = -1;
  for (int i = count_ - 1; i >= 0; --i) {
    const Instruction& decoded = guest_[i].decoded;
    live = (live & ~unsigned{decoded.flags_killed}) | decoded.flags_read;
    if ((live & clobbered) == 0) place = i;
  }
  if (place >= 0) return {CounterPlace::kIncrement, place, 0};
  if (is_indirect(last().decoded.control)) return {CounterPlace::kSequence, count_, 0};
  for (int i = 0; i < body_count(); ++i) {
    const std::int8_t reg = guest_[i].decoded.overwritten;
    if (reg >= 0 && reg != kRsp && reg != kR12)
      return {CounterPlace::kDeadRegister, i, static_cast<unsigned>(reg)};
  }
  return {CounterPlace::kSpill, body_count(), 0};
}

void Translator::add_item(std::uint8_t* from, unsigned flags) {
  BOPS_NATIVE_ASSERT(cache_.item_count_ < CodeCache::kMaxItems);
  cache_.items_[cache_.item_count_++] =
      static_cast<std::uint8_t>(static_cast<unsigned>(hot_.at() - from) | flags);
  ++block_->item_count;
}

void Translator::emit_block() {
  int copies = 1;
  if (is_unrollable()) {
    const unsigned bytes = code_size();
    copies = bytes <= 32 ? kMaxCopies : bytes <= 48 ? 8 : bytes <= 112 ? 4 : bytes <= 320 ? 2 : 1;
    hot_.align(32);
  }
  const CounterPlace place = place_counter(copies > 1);
  block_->copies = static_cast<std::uint8_t>(copies);
  block_->counted_before = static_cast<std::uint8_t>(place.before);
  block_->start = static_cast<std::uint32_t>(hot_.address());
  std::uint32_t patches[kMaxCopies];
  for (int copy = 1; copy < copies; ++copy) {
    emit_body(false, place);
    std::uint8_t* const from = hot_.at();
    hot_.jump_if(last().decoded.condition ^ 1U, 0);
    add_item(from, 0);
    patches[copy - 1] = static_cast<std::uint32_t>(hot_.address() - 4);
  }
  emit_body(true, place);
  block_->last = static_cast<std::uint32_t>(hot_.address());
  const bool goes_on = emit_sequence(place);
  block_->end = static_cast<std::uint32_t>(hot_.address());
  __atomic_store_n(&cache_.block_count_, cache_.block_count_ + 1, __ATOMIC_RELEASE);
  if (!goes_on) next_ = 0;
  emit_loop_exits(patches, copies - 1);
}

void Translator::emit_body(bool is_last_copy, const CounterPlace& place) {
  for (int i = 0; i < body_count(); ++i) {
    if (is_last_copy && place.before == i) emit_counter(place);
    emit_copy(guest_[i]);
  }
  if (is_last_copy && place.before >= body_count() && place.way != CounterPlace::kSequence)
    emit_counter(place);
}

void Translator::emit_counter(const CounterPlace& place) {
  const int offset = counter_offset(block_->number);
  std::uint8_t* from = hot_.at();
  const auto done = [&] {
    add_item(from, kItemInserted);
    from = hot_.at();
  };
  switch (place.way) {
    case CounterPlace::kIncrement:
      if (block_->copies == 1)
        hot_.increment_gs(offset);
      else
        hot_.add_gs(offset, block_->copies);
      done();
      return;
    case CounterPlace::kDeadRegister:
      hot_.load_gs(place.reg, offset);
      done();
      hot_.add_register(place.reg, block_->copies);
      done();
      hot_.store_gs(place.reg, offset);
      done();
      return;
    case CounterPlace::kSpill:
      hot_.store_gs(kRax, GS_SPILL);
      done();
      hot_.load_gs(kRax, offset);
      done();
      hot_.add_register(kRax, block_->copies);
      done();
      hot_.store_gs(kRax, offset);
      done();
      hot_.load_gs(kRax, GS_SPILL);
      done();
      return;
    case CounterPlace::kSequence: return;
  }
}

/// Bytes of guest code in the block.
unsigned Translator::code_size() const {
  unsigned size = 0;
  for (int i = 0; i < count_; ++i) size += guest_[i].decoded.length;
  return size;
}

void Translator::emit_copy(const GuestInstruction& instruction) {
  const Instruction& decoded = instruction.decoded;
  std::uint8_t* const from = hot_.at();
  if (instruction.is_joined) {
    if (decoded.control == Control::kCall) hot_.push(instruction.next());
    add_item(from, 0);
    return;
  }
  if (!decoded.rip_relative) {
    hot_.bytes(instruction.code(), decoded.length);
    add_item(from, 0);
    return;
  }
  Word target = instruction.next() + static_cast<Word>(std::int64_t{decoded.displacement});
  if (decoded.address_size_32) target &= 0xffffffff;
  if (!is_within_reach(target, hot_.address() + decoded.length)) {
    emit_far_copy(instruction, target);
    return;
  }
  hot_.bytes(instruction.code(), decoded.length);
  Emitter patch(from + decoded.displacement_offset);
  patch.word32(target - hot_.address());
  add_item(from, 0);
}

/// The same through a register that the instruction does not use.
void Translator::emit_far_copy(const GuestInstruction& instruction, Word target) {
  const Instruction& decoded = instruction.decoded;
  constexpr unsigned kCandidates[] = {kRsi, kRdi, kRbx, kRdx, kRcx, kRax};
  unsigned reg = kRegisterCount;
  for (const unsigned candidate : kCandidates)
    if (reg == kRegisterCount && (decoded.registers >> candidate & 1) == 0) reg = candidate;
  BOPS_NATIVE_ASSERT(reg != kRegisterCount);
  std::uint8_t* const from = hot_.at();
  hot_.store_gs(reg, GS_FAR_SPILL);
  hot_.byte(0x48);  // mov reg, imm64
  hot_.byte(0xb8 | reg);
  hot_.word64(target);
  const std::uint8_t* const code = instruction.code();
  std::uint8_t* const copied = hot_.at();
  hot_.bytes(code, decoded.modrm_offset);
  clear_base_extension(copied, decoded);
  // mod 00, rm reg: no displacement.
  hot_.byte((code[decoded.modrm_offset] & 0x38U) | reg);
  const unsigned rest = decoded.displacement_offset + 4U;
  hot_.bytes(code + rest, decoded.length - rest);
  hot_.load_gs(reg, GS_FAR_SPILL);
  add_item(from, kItemFar);
}

bool Translator::emit_sequence(const CounterPlace& place) {
  const GuestInstruction& instruction = last();
  next_ = instruction.next();
  switch (instruction.decoded.control) {
    case Control::kNone: return true;
    case Control::kTrap: return false;
    case Control::kConditional: emit_conditional(); return true;
    case Control::kLoop: emit_loop(); return true;
    case Control::kJump: next_ = instruction.branch_target(); return true;
    case Control::kCall: emit_call(); return true;
    case Control::kIndirectJump: emit_indirect(place); return false;
    case Control::kIndirectCall: emit_indirect(place); return true;
    case Control::kReturn: emit_return(place); return false;
    case Control::kSystemCall: emit_system_call(); return true;
    case Control::kInterrupt: {
      const std::uint32_t index = cache_.add_exit(ExitKind::kInterrupt, instruction.pc);
      cache_.exit(index).block = block_->start;
      cache_.emit_exit(hot_, index);
      return false;
    }
    case Control::kTransaction: {
      constexpr unsigned kXbeginSize = 6;
      hot_.keep_in_line(2);
      hot_.bytes(instruction.code() + instruction.decoded.length - kXbeginSize, 2);
      emit_link(instruction.branch_target());
      return true;
    }
    case Control::kFar:
      cache_.emit_exit(hot_, cache_.add_exit(ExitKind::kFar, instruction.pc));
      return false;
    case Control::kGsBase:
      cache_.emit_exit(hot_, cache_.add_exit(ExitKind::kUncountable, instruction.pc));
      return false;
  }
  return false;
}

void Translator::emit_link(Word pc) {
  const Word known = pc == block_->pc ? Word{block_->start} : cache_.find(pc);
  if (known != 0) {
    hot_.relative(known);
    return;
  }
  const Word exit = cold_.address();
  cache_.emit_exit(cold_, cache_.add_exit(ExitKind::kDirect, pc, hot_.address()));
  hot_.relative(exit);
}

void Translator::emit_conditional() {
  hot_.keep_in_line(2);
  hot_.byte(0x0f);
  hot_.byte(0x80U | last().decoded.condition);
  emit_link(last().branch_target());
}

/// loop, jrcxz: reach 127 bytes only, so they jump over a jump.
void Translator::emit_loop() {
  const Instruction& decoded = last().decoded;
  hot_.bytes(last().code(), decoded.length - 1U);
  hot_.byte(2);
  hot_.byte(0xeb);
  hot_.byte(0);
  std::uint8_t* const skip = hot_.at();
  hot_.keep_in_line(1);
  hot_.byte(0xe9);
  emit_link(last().branch_target());
  skip[-1] = static_cast<std::uint8_t>(hot_.at() - skip);
}

void Translator::emit_call() {
  hot_.push(last().next());
  hot_.keep_in_line(1);
  hot_.byte(0xe9);
  emit_link(last().branch_target());
}

/// mov rcx, the operand of an indirect jump or call
void Translator::emit_target_load(const GuestInstruction& instruction) {
  const Instruction& decoded = instruction.decoded;
  const std::uint8_t* const modrm = instruction.code() + decoded.modrm_offset;
  constexpr unsigned kRexW = 0x48, kLoad = 0x8b, kRegRcx = kRcx << 3;
  if (decoded.rip_relative) {
    Word target = instruction.next() + static_cast<Word>(std::int64_t{decoded.displacement});
    if (decoded.address_size_32) target &= 0xffffffff;
    constexpr unsigned kFs = 0x64, kLongest = 8;
    if (is_within_reach(target, hot_.address() + kLongest)) {
      if (decoded.fs_segment) hot_.byte(kFs);
      hot_.byte(kRexW);
      hot_.byte(kLoad);
      hot_.byte(0x05 | kRegRcx);
      hot_.relative(target);
    } else {
      hot_.byte(kRexW);
      hot_.byte(0xb8 | kRcx);
      hot_.word64(target);
      if (decoded.fs_segment) hot_.byte(kFs);
      hot_.byte(kRexW);
      hot_.byte(kLoad);
      hot_.byte(0x01 | kRegRcx);
    }
    return;
  }
  if (decoded.fs_segment) hot_.byte(0x64);
  if (decoded.address_size_32) hot_.byte(0x67);
  hot_.byte(kRexW | (decoded.rex & 3U));
  hot_.byte(kLoad);
  hot_.byte((modrm[0] & 0xc7U) | kRegRcx);
  hot_.bytes(modrm + 1, decoded.length - decoded.modrm_offset - 1U);
}

/// RCX holds the guest address to go to, the guest's own is in GS_SAVED_RCX.
void Translator::emit_transfer() {
  hot_.load_table_entry();
  hot_.add_rcx(static_cast<std::uint32_t>(cache_.miss()));
  hot_.store_gs(kRcx, GS_CACHE_TARGET);
  hot_.load_gs(kRcx, GS_SAVED_RCX);
}

void Translator::emit_indirect(const CounterPlace& place) {
  const GuestInstruction& instruction = last();
  const std::uint8_t* const begin = hot_.at();
  const auto here = [&] { return static_cast<std::uint8_t>(hot_.at() - begin); };
  const int offset = counter_offset(block_->number);
  const bool counts = place.way == CounterPlace::kSequence;
  const bool needs_rcx = (instruction.decoded.registers >> kRcx & 1) != 0;
  hot_.store_gs(kRcx, GS_SAVED_RCX);
  if (counts && !needs_rcx) {
    hot_.load_gs(kRcx, offset);
    hot_.add_register(kRcx, 1);
    hot_.store_gs(kRcx, offset);
    block_->rewind_counted = here();
  }
  emit_target_load(instruction);
  block_->rewind_end = here();
  hot_.store_gs(kRcx, GS_TARGET);
  if (counts && needs_rcx) {
    hot_.load_gs(kRcx, offset);
    hot_.add_register(kRcx, 1);
    hot_.store_gs(kRcx, offset);
    hot_.load_gs(kRcx, GS_TARGET);
  }
  emit_transfer();
  if (instruction.decoded.control == Control::kIndirectCall) {
    block_->push_at = here();
    hot_.push(instruction.next());
  }
  hot_.jump_gs(GS_CACHE_TARGET);
}

void Translator::emit_return(const CounterPlace& place) {
  const std::uint8_t* const begin = hot_.at();
  const auto here = [&] { return static_cast<std::uint8_t>(hot_.at() - begin); };
  const int offset = counter_offset(block_->number);
  hot_.store_gs(kRcx, GS_SAVED_RCX);
  if (place.way == CounterPlace::kSequence) {
    hot_.load_gs(kRcx, offset);
    hot_.add_register(kRcx, 1);
    hot_.store_gs(kRcx, offset);
    block_->rewind_counted = here();
  }
  hot_.pop_rcx();
  block_->rewind_end = here();
  hot_.store_gs(kRcx, GS_TARGET);
  const auto popped = static_cast<std::uint16_t>(last().decoded.immediate);
  if (popped != 0) hot_.add_rsp(popped);
  emit_transfer();
  hot_.jump_gs(GS_CACHE_TARGET);
}

/// Most calls are made here; those that the filter marks leave for the engine.
void Translator::emit_system_call() {
  const std::uint8_t* const begin = hot_.at();
  constexpr std::uint8_t kNumber[] = {0x0f, 0xb7, 0xc8};  // movzx ecx, ax
  hot_.bytes(kNumber, sizeof kNumber);
  hot_.store_gs(kRcx, GS_SAVED_RCX);                      // for settle_for_good
  constexpr std::uint8_t kLookUp[] = {0x0f, 0xb6, 0x89};  // movzx ecx, byte [rcx + filter]
  hot_.bytes(kLookUp, sizeof kLookUp);
  hot_.word32(cache_.filter());
  hot_.byte(0xe3);  // jrcxz over the jump
  hot_.byte(5);
  const std::uint32_t index = cache_.add_exit(ExitKind::kSystemCall, last().next());
  hot_.jump(cold_.address());
  block_->rewind_end = static_cast<std::uint8_t>(hot_.at() - begin);
  Exit& exit = cache_.exit(index);
  exit.inline_call = static_cast<std::uint32_t>(hot_.address());
  hot_.byte(0x0f);  // syscall
  hot_.byte(0x05);
  exit.resume = static_cast<std::uint32_t>(hot_.address());
  hot_.set_register(kRcx, last().next());
  cache_.emit_exit(cold_, index);
}

void Translator::emit_spilled_count(Emitter& out, unsigned executions) const {
  const int offset = counter_offset(block_->number);
  out.store_gs(kRax, GS_SPILL);
  out.load_gs(kRax, offset);
  out.add_register(kRax, executions);
  out.store_gs(kRax, offset);
  out.load_gs(kRax, GS_SPILL);
}

/// An unrolled loop that is left from an earlier copy than the last counts what it did.
void Translator::emit_loop_exits(const std::uint32_t* patches, int count) {
  for (int i = 0; i < count; ++i) {
    Emitter patch(reinterpret_cast<std::uint8_t*>(Word{patches[i]}));
    patch.relative(cold_.address());
    emit_spilled_count(cold_, static_cast<unsigned>(i + 1));
    cold_.jump(hot_.address());
  }
}

Word CodeCache::enter_one(Word pc) {
  Translator translator(*this);
  return hot_ + kReserve > hot_end_ ? enter(pc) : translator.translate_one(pc);
}

Word CodeCache::enter(Word pc) {
  return enter(pc, Translator::kMaxBlocks);
}

Word CodeCache::enter_again(Word pc) {
  return enter(pc, 1);
}

Word CodeCache::enter(Word pc, int max_blocks) {
  if (const Word known = find(pc); known != 0) return known;
  if (hot_ + kReserve > hot_end_ || cold_ + kReserve > cold_end_) {
    Emitter out(cold_);  // the reserve is large enough for what still comes
    const Word exit = out.address();
    emit_exit(out, add_exit(ExitKind::kUncountable, pc));
    cold_ = out.at();
    return exit;
  }
  Translator translator(*this);
  return translator.translate(pc, max_blocks);
}

}  // namespace bops::native
