/// What was translated: guest blocks, their code in the cache, and the ways out of it.
///
/// The cache is one piece of memory below 2 GiB that is readable, writable and executable:
///
///   filter   64 KiB: one byte for each system call number, 1 if the engine must see it
///   miss     where an indirect transfer goes whose target is not in the target table
///   hot      translated code; blocks in ascending order
///   cold     ways out of it, seldom executed
///
/// Invariants:
/// - A block is entered at its start only. Code that jumps into its middle gets a block of its own.
/// - An entry of the target table leads to the block of exactly that guest address: where another
///   executable address shares the entry (is_aliased), it leads through a check.
/// - Code once emitted is never moved or reused; a forgotten block starts with int3.
#ifndef BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_CODE_CACHE_HPP
#define BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_CODE_CACHE_HPP

#include <asm/unistd.h>

#include "collectors/exact/native/engine/emitter.hpp"
#include "collectors/exact/native/engine/engine.hpp"

namespace bops::native {

/// A guest block in the cache. Its body is a row of items (guest instructions, inserted code), then
/// comes the sequence that stands for its last instruction, if that transfers control.
struct Block {
  Word pc;
  std::uint32_t start, end;  ///< in the cache; [start, end) holds the body and the sequence
  std::uint32_t last;        ///< where the sequence begins; end if there is none
  std::uint32_t items;       ///< index of the first item of the body
  std::uint32_t item_count;
  std::uint32_t number;       ///< of its counter; not its index in the cache
  std::uint32_t joined;       ///< index of the first piece that is joined to it
  std::uint16_t bytes;        ///< of guest code at pc
  std::uint8_t instructions;  ///< those of joined pieces, too
  std::uint8_t joined_count;
  std::uint8_t copies;          ///< of the body: a loop is unrolled
  std::uint8_t counted_before;  ///< in the last copy, the counter stands before this instruction;
                                ///< == instructions: within the sequence
  std::uint8_t rewind_end;      ///< in the sequence: up to here nothing is done but RCX saved
  std::uint8_t rewind_counted;  ///< in the sequence: from here to rewind_end it is counted
  std::uint8_t push_at;         ///< in the sequence of an indirect call: the push; 0: none
  std::uint8_t control;         ///< Control of its last instruction
  bool forgotten;
};

/// Guest code elsewhere that a direct jump or call in the middle of a block leads to. It has the
/// block's number + 1 and so on, and no counter of its own.
struct JoinedPiece {
  Word pc;
  std::uint16_t bytes;
  std::uint8_t first;  ///< index of its first instruction in the block
};

/// An item of a body: its length in the cache, with flags.
enum : std::uint8_t {
  kItemLength = 0x3f,
  kItemInserted = 0x80,  ///< not the guest's
  kItemFar = 0x40        ///< the guest's, made to reach a far address with a borrowed register
};

enum class ExitKind : std::uint8_t {
  kDirect,      ///< to a guest address known at translation
  kIndirect,    ///< to the guest address in GS_TARGET
  kSystemCall,  ///< a system call that the engine must see
  kFar,         ///< far transfer: carried out by the engine
  kInterrupt,   ///< int 0x80
  kNative,      ///< no code can be translated there: run it natively, and it will fault
  kUncountable  ///< an instruction that the engine cannot follow
};

struct Exit {
  Word pc;                    ///< where it leads; for a system call the address after it
  std::uint32_t patch;        ///< cache address of the rel32 to link once pc is translated; 0: none
  std::uint32_t resume;       ///< kSystemCall: cache address of what follows it
  std::uint32_t inline_call;  ///< kSystemCall: cache address that carries it out after all
  std::uint32_t block;        ///< kInterrupt: start of the block that ends with it
  ExitKind kind;
};

class CodeCache {
 public:
  /// `place` is free memory of `size` bytes below 2 GiB. False if it cannot be had executable.
  bool create(Word place, Word size);

  /// The cache address of the block at `pc`, 0 if it is not translated.
  [[nodiscard]] Word find(Word pc);
  /// Where a jump to `pc` goes: its block, translated now if need be, or an exit that leaves the
  /// fault to the kernel. Engine lock held.
  Word enter(Word pc);
  /// The same where a signal's handler returns to, most often the middle of a block: one block is
  /// translated, not a trace, so that a timer of a few kHz leaves time for the guest.
  Word enter_again(Word pc);
  /// Code for the one instruction at `pc`, which nobody else enters; then on to its successors.
  Word enter_one(Word pc);
  /// The block whose code holds `address`, null if none does. Needs no lock: a signal handler asks
  /// while another thread translates.
  [[nodiscard]] Block* block_at(Word address);
  [[nodiscard]] bool contains(Word address) const {
    return address >= base_ && address < base_ + size_;
  }
  [[nodiscard]] Word miss() const { return miss_; }
  [[nodiscard]] Word filter() const { return base_; }
  [[nodiscard]] const std::uint8_t* item(std::uint32_t index) const { return &items_[index]; }
  [[nodiscard]] const JoinedPiece& joined_piece(std::uint32_t index) const {
    return joined_[index];
  }
  [[nodiscard]] Exit& exit(std::uint32_t index) { return exits_[index]; }

  /// Makes the system call `number` visible to the engine.
  void watch(unsigned number) { reinterpret_cast<std::uint8_t*>(base_)[number & 0xffff] = 1; }

  /// Makes those visible by which the kernel writes into a buffer of the guest's. Once code is
  /// guarded, it may be there.
  void watch_writes() {
    watch(__NR_read);
    watch(__NR_pread64);
    watch(__NR_recvfrom);
  }

  /// Lets later indirect transfers to `pc` go straight to its block at `address`.
  void put_into_table(Word pc, Word address);
  void forget(Word start, Word end);
  /// In the child of a fork: the numbers that are left in the last window are its parent's.
  void start_new_window();
  [[nodiscard]] bool has_translations(Word start, Word end) const;
  /// Writes the address of `pc`'s block into a branch, at once for all threads.
  void link(std::uint32_t exit_index, Word address);

 private:
  friend class Translator;
  static constexpr Word kMaxBlocks = Word{1} << 23;
  static constexpr Word kMaxItems = Word{1} << 28;
  static constexpr Word kMaxExits = Word{1} << 24;
  static constexpr Word kMaxJoined = Word{1} << 23;
  /// More than one trace can take: translation stops before there is less.
  static constexpr Word kReserve = Word{256} << 10;

  Word enter(Word pc, int max_blocks);
  void populate_ahead();
  std::uint32_t add_exit(ExitKind kind, Word pc, Word patch = 0);
  void remember(const Block& block);
  void grow_hash();
  [[nodiscard]] bool is_from(const Block& block, Word start, Word end) const;
  /// Code that leaves the cache through an exit.
  void emit_exit(Emitter& out, std::uint32_t exit_index) const;
  Word checked_entry(Word pc, Word address);

  Word base_ = 0, size_ = 0, miss_ = 0;
  std::uint8_t* hot_ = nullptr;
  std::uint8_t* hot_end_ = nullptr;
  std::uint8_t* cold_ = nullptr;
  std::uint8_t* cold_end_ = nullptr;
  Block* blocks_ = nullptr;
  std::uint8_t* items_ = nullptr;
  Exit* exits_ = nullptr;
  JoinedPiece* joined_ = nullptr;
  std::uint32_t joined_count_ = 0;
  std::uint32_t next_number_ = 0;
  std::uint32_t block_count_ = 0;  ///< of whole blocks: see block_at
  std::uint32_t item_count_ = 0, exit_count_ = 0;
  /// Open addressing by guest address. Nearly all are below 4 GiB, and found without a look at the
  /// block.
  struct Entry {
    std::uint32_t low_pc;
    std::uint32_t start;  ///< of the block, below 2 GiB, perhaps with kHighPc; 0: free
  };
  static constexpr std::uint32_t kHighPc = std::uint32_t{1} << 31;  ///< the block knows the rest
  static constexpr std::uint32_t kForgotten = 1;                    ///< in place of the start
  [[nodiscard]] bool is_of(const Entry& entry, Word pc);
  [[nodiscard]] Entry& entry_of(Word pc);
  Entry* hash_ = nullptr;
  /// Up to where the memory of each row that grows was asked for (populate_ahead).
  Word populated_[5] = {};
  Word hash_mask_ = 0;
  Word hash_used_ = 0;
};

extern CodeCache cache;

/// Forgets all translations of guest code in [start, end). Threads that are inside one leave it at
/// its end. Engine lock held.
void invalidate(Word start, Word end);

/// Whether any translation has guest code in [start, end). Engine lock held.
bool has_translations(Word start, Word end);

}  // namespace bops::native

#endif
