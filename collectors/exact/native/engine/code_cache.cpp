#include "collectors/exact/native/engine/code_cache.hpp"

#include "collectors/exact/native/engine/counters.hpp"
#include "collectors/exact/native/engine/memory_map.hpp"
#include "collectors/exact/native/engine/thread.hpp"

namespace bops::native {
namespace {

constexpr Word kFilterSize = 65536;
constexpr Word kFirstHash = 4096;

constexpr int kMmap = 9, kProtAll = 7, kPrivateAnonymousFixedNoReplace = 0x2 | 0x20 | 0x100000,
              kNoReserve = 0x4000;

Word spread(Word pc) {
  return (pc * 0x9e3779b97f4a7c15) >> 24;
}

std::uint32_t low(Word address) {
  return static_cast<std::uint32_t>(address);
}

void populate(Word begin, Word end) {
  constexpr int kMadvise = 28;
  constexpr Word kPopulateWrite = 23;  // Linux 5.14
  kernel_call(kMadvise, begin, end - begin, kPopulateWrite);
}

}  // namespace

CodeCache cache;

bool CodeCache::create(Word place, Word size) {
  const auto mapped =
      kernel_call(kMmap, place, size, kProtAll, kPrivateAnonymousFixedNoReplace | kNoReserve,
                  static_cast<Word>(-1), 0);
  if (mapped != static_cast<std::int64_t>(place)) return false;
  protect_engine_range(place, place + size);
  base_ = place;
  size_ = size;
  blocks_ = static_cast<Block*>(reserve_memory(kMaxBlocks * sizeof(Block)));
  items_ = static_cast<std::uint8_t*>(reserve_memory(kMaxItems));
  joined_ = static_cast<JoinedPiece*>(reserve_memory(kMaxJoined * sizeof(JoinedPiece)));
  exits_ = static_cast<Exit*>(reserve_memory(kMaxExits * sizeof(Exit)));
  hash_ = static_cast<Entry*>(reserve_memory(kFirstHash * sizeof hash_[0]));
  hash_mask_ = kFirstHash - 1;
  hot_ = reinterpret_cast<std::uint8_t*>(base_ + kFilterSize);
  cold_ = hot_end_ = reinterpret_cast<std::uint8_t*>(base_ + size / 8 * 5);
  cold_end_ = reinterpret_cast<std::uint8_t*>(base_ + size);
  miss_ = low(reinterpret_cast<Word>(hot_));
  Emitter out(hot_);
  emit_exit(out, add_exit(ExitKind::kIndirect, 0));
  hot_ = out.at();
  return true;
}

std::uint32_t CodeCache::add_exit(ExitKind kind, Word pc, Word patch) {
  BOPS_NATIVE_ASSERT(exit_count_ < kMaxExits);
  exits_[exit_count_] = Exit{pc, low(patch), 0, 0, 0, kind};
  return exit_count_++;
}

void CodeCache::emit_exit(Emitter& out, std::uint32_t exit_index) const {
  out.set_gs32(GS_EXIT, exit_index);
  out.jump_gs(GS_ENTER);
}

bool CodeCache::is_of(const Entry& entry, Word pc) {
  if (entry.low_pc != low(pc)) return false;
  if (pc >> 32 == 0) return (entry.start & kHighPc) == 0;
  const std::uint32_t start = entry.start & ~kHighPc;
  return start != entry.start && start != kForgotten && block_at(start)->pc == pc;
}

/// The entry of `pc`, or the free one for it.
CodeCache::Entry& CodeCache::entry_of(Word pc) {
  Word i = spread(pc) & hash_mask_;
  while (hash_[i].start != 0 && !is_of(hash_[i], pc)) i = (i + 1) & hash_mask_;
  return hash_[i];
}

Word CodeCache::find(Word pc) {
  const std::uint32_t start = entry_of(pc).start & ~kHighPc;
  return start == kForgotten ? 0 : start;
}

void CodeCache::remember(const Block& block) {
  if (hash_used_ * 2 > hash_mask_) grow_hash();
  Entry& entry = entry_of(block.pc);
  if (entry.start == 0) ++hash_used_;
  entry = {low(block.pc), block.start | (block.pc >> 32 != 0 ? kHighPc : 0)};
}

void CodeCache::grow_hash() {
  const Entry* const old = hash_;
  const Word old_size = hash_mask_ + 1;
  hash_ = static_cast<Entry*>(reserve_memory(old_size * 2 * sizeof hash_[0]));
  populate(word(hash_), word(hash_ + old_size * 2));
  hash_mask_ = old_size * 2 - 1;
  hash_used_ = 0;
  for (Word i = 0; i < old_size; ++i) {
    const std::uint32_t start = old[i].start & ~kHighPc;
    if (start == 0 || start == kForgotten) continue;
    const Word pc = start == old[i].start ? Word{old[i].low_pc} : block_at(start)->pc;
    entry_of(pc) = old[i];
    ++hash_used_;
  }
  give_up_memory(word(old), old_size * sizeof old[0]);
}

/// Memory that is about to be written to, many pages at once: a fault for each costs more than the
/// page. Where it cannot be had, the faults come. kReserve keeps what is asked for within the
/// cache.
void CodeCache::populate_ahead() {
  constexpr Word kAhead = Word{16} << 10, kStep = Word{64} << 10;
  const Word ends[5] = {word(hot_), word(cold_), word(blocks_ + block_count_),
                        word(items_ + item_count_), word(exits_ + exit_count_)};
  for (int i = 0; i < 5; ++i) {
    if (ends[i] + kAhead <= populated_[i]) continue;
    const Word begin = (ends[i] > populated_[i] ? ends[i] : populated_[i]) / kPageSize * kPageSize;
    populated_[i] = begin + kStep;
    populate(begin, populated_[i]);
  }
}

Block* CodeCache::block_at(Word address) {
  const std::uint32_t count = __atomic_load_n(&block_count_, __ATOMIC_ACQUIRE);
  std::uint32_t first = 0, last = count;
  while (first < last) {
    const std::uint32_t middle = first + (last - first) / 2;
    if (blocks_[middle].end <= address)
      first = middle + 1;
    else
      last = middle;
  }
  if (first == count || address < blocks_[first].start) return nullptr;
  return &blocks_[first];
}

/// For a guest address that shares its entry with another: compares GS_TARGET with `pc`.
Word CodeCache::checked_entry(Word pc, Word address) {
  Emitter out(cold_);
  const Word entry = out.address();
  out.store_gs(kRcx, GS_SAVED_RCX);
  out.store_gs(kRdx, GS_SPILL);
  out.load_gs(kRcx, GS_TARGET);
  out.set_register(kRdx, Word{0} - pc);
  constexpr std::uint8_t kAddRdxToRcx[] = {0x48, 0x8d, 0x0c, 0x11};  // lea rcx, [rcx + rdx]
  out.bytes(kAddRdxToRcx, sizeof kAddRdxToRcx);
  out.load_gs(kRdx, GS_SPILL);
  out.byte(0xe3);  // jrcxz over the next two
  out.byte(0);
  std::uint8_t* const skip = out.at();
  out.load_gs(kRcx, GS_SAVED_RCX);
  out.jump(miss_);
  skip[-1] = static_cast<std::uint8_t>(out.at() - skip);
  out.load_gs(kRcx, GS_SAVED_RCX);
  out.jump(address);
  cold_ = out.at();
  return entry;
}

void CodeCache::put_into_table(Word pc, Word address) {
  auto* const table = static_cast<std::uint32_t*>(at_gs(current_area(), GS_TABLE));
  std::uint32_t& entry = table[pc & 0x3fffffff];
  if (is_aliased(pc)) {
    if (entry != 0 || cold_ + kReserve > cold_end_) return;  // who comes second takes the long way
    address = checked_entry(pc, address);
  }
  __atomic_store_n(&entry, low(address - miss_), __ATOMIC_RELEASE);
}

void CodeCache::link(std::uint32_t exit_index, Word address) {
  const Word patch = exits_[exit_index].patch;
  if (patch == 0) return;
  __atomic_store_n(reinterpret_cast<std::uint32_t*>(patch), low(address - (patch + 4)),
                   __ATOMIC_RELEASE);
}

/// Whether some of the block's guest code lies in [start, end).
bool CodeCache::is_from(const Block& block, Word start, Word end) const {
  if (block.pc < end && block.pc + block.bytes > start) return true;
  for (unsigned i = 0; i < block.joined_count; ++i) {
    const JoinedPiece& piece = joined_[block.joined + i];
    if (piece.pc < end && piece.pc + piece.bytes > start) return true;
  }
  return false;
}

bool CodeCache::has_translations(Word start, Word end) const {
  for (std::uint32_t i = 0; i < block_count_; ++i) {
    const Block& block = blocks_[i];
    if (!block.forgotten && is_from(block, start, end)) return true;
  }
  return false;
}

void CodeCache::forget(Word start, Word end) {
  auto* const table = static_cast<std::uint32_t*>(at_gs(current_area(), GS_TABLE));
  for (std::uint32_t i = 0; i < block_count_; ++i) {
    Block& block = blocks_[i];
    if (block.forgotten || !is_from(block, start, end)) continue;
    block.forgotten = true;
    Entry& entry = entry_of(block.pc);  // perhaps that of a newer block, or free
    if ((entry.start & ~kHighPc) == block.start) entry.start = kForgotten | (entry.start & kHighPc);
    std::uint32_t& target = table[block.pc & 0x3fffffff];
    if (target != 0) __atomic_store_n(&target, 0, __ATOMIC_RELEASE);
    // What is linked to it, or runs into it, traps; see on_signal.
    constexpr std::uint8_t kInt3 = 0xcc;
    __atomic_store_n(reinterpret_cast<std::uint8_t*>(Word{block.start}), kInt3, __ATOMIC_RELEASE);
  }
}

void CodeCache::start_new_window() {
  next_number_ = (next_number_ + kWindowCounters - 1) / kWindowCounters * kWindowCounters;
}

void invalidate(Word start, Word end) {
  cache.forget(start, end);
}

bool has_translations(Word start, Word end) {
  return cache.has_translations(start, end);
}

}  // namespace bops::native
