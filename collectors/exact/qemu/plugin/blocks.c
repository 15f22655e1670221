/* Translation: from QEMU's blocks to those of the profile. Called with the plugin's mutex free. */
#include <stdlib.h>
#include <string.h>

#include "collectors/exact/qemu/plugin/plugin.h"

enum {
  MAX_BLOCK_INSTRUCTIONS = 512, /* QEMU's TCG_MAX_INSNS */
  PAGE_SIZE = 4096
};

/* Never moved, so that execution may read it without a lock. */
static struct block_info* info_chunks[CHUNK_COUNT];
static uint64_t first_ids[CHUNK_COUNT]; /* of the profile's ids, by chunk */
static size_t next_index;               /* of the next block; index 0 is never given */

/* Blocks by address and bytes: QEMU translates the same code again after a flush, on the first
 * clone, and for single steps. Open addressing; 0 is empty, else an index. */
static uint32_t* table;
static size_t table_size, table_used;

static const struct block_info no_block;

const struct block_info* block_info_at(uintptr_t index) {
  struct block_info* chunk = info_chunks[index >> CHUNK_SHIFT];
  return chunk ? &chunk[index & (CHUNK_BLOCKS - 1)] : &no_block;
}

size_t block_chunks(void) {
  return (next_index + CHUNK_BLOCKS - 1) >> CHUNK_SHIFT;
}

uint64_t first_id_of_chunk(size_t chunk) {
  return first_ids[chunk];
}

void blocks_after_fork(void) {
  next_index = (next_index + CHUNK_BLOCKS - 1) & ~(size_t)(CHUNK_BLOCKS - 1);
}

/* The next index, its chunk made ready; 0 if there is none left. */
static size_t take_index(void) {
  size_t chunk = next_index >> CHUNK_SHIFT;
  if (chunk >= CHUNK_COUNT) return 0;
  if (!info_chunks[chunk]) {
    struct block_info* fresh = calloc(CHUNK_BLOCKS, sizeof *fresh);
    if (!fresh) return 0;
    first_ids[chunk] = profile_writer_take_ids(&plugin.writer, CHUNK_BLOCKS);
    __atomic_store_n(&info_chunks[chunk], fresh, __ATOMIC_RELEASE);
    if (chunk == 0) next_index = 1;
  }
  return next_index++;
}

struct instruction {
  uint64_t address;
  uint8_t size;
  bool atomic;
  bool rep_string;
  const uint8_t* bytes;
};

static bool is_prefix(uint8_t byte) {
  return byte == 0x66 || byte == 0x67 || byte == 0x2e || byte == 0x36 || byte == 0x3e ||
         byte == 0x26 || byte == 0x64 || byte == 0x65 || byte == 0xf0 || byte == 0xf2 ||
         byte == 0xf3;
}

/* Tells the two kinds of instructions that QEMU may enter more than once per execution. */
static void recognise(struct instruction* i) {
  bool lock = false, rep = false;
  size_t at = 0;
  while (at < i->size && is_prefix(i->bytes[at])) {
    lock |= i->bytes[at] == 0xf0;
    rep |= i->bytes[at] == 0xf2 || i->bytes[at] == 0xf3;
    at++;
  }
  if (at < i->size && (i->bytes[at] & 0xf0) == 0x40) at++; /* REX */
  if (at >= i->size) return;
  uint8_t opcode = i->bytes[at];
  /* xchg with memory locks by itself. */
  bool exchange =
      (opcode == 0x86 || opcode == 0x87) && at + 1 < i->size && (i->bytes[at + 1] & 0xc0) != 0xc0;
  i->atomic = lock || exchange;
  /* ins, outs, movs, cmps; stos, lods, scas */
  i->rep_string = rep && ((opcode >= 0x6c && opcode <= 0x6f) ||
                          (opcode >= 0xa4 && opcode <= 0xa7) || (opcode >= 0xaa && opcode <= 0xaf));
}

static uint64_t hash_of(uint64_t address, const uint8_t* data, size_t size) {
  uint64_t hash = address * 0x9e3779b97f4a7c15u; /* FNV-1a over the bytes */
  for (size_t i = 0; i < size; i++) hash = (hash ^ data[i]) * 0x100000001b3u;
  return hash ^ (hash >> 29);
}

static bool grow_table(void) {
  size_t size = table_size ? 2 * table_size : 1 << 14;
  uint32_t* larger = calloc(size, sizeof *larger);
  if (!larger) return false;
  for (size_t i = 0; i < table_size; i++) {
    if (!table[i]) continue;
    const struct bops_profile_block* b = block_info_at(table[i])->record;
    size_t at = hash_of(b->address, b->data, b->instructions + b->bytes) & (size - 1);
    while (larger[at]) at = (at + 1) & (size - 1);
    larger[at] = table[i];
  }
  free(table);
  table = larger;
  table_size = size;
  return true;
}

static bool same_block(const struct bops_profile_block* b, const struct bops_profile_block* other) {
  return b->address == other->address && b->instructions == other->instructions &&
         b->bytes == other->bytes && b->mapping == other->mapping && b->flags == other->flags &&
         memcmp(b->data, other->data, (size_t)b->instructions + b->bytes) == 0;
}

/* Index of the profile's block of these instructions, 0 if it could not be stored. */
static uintptr_t block_of(const struct instruction* first, size_t count, bool provisional_tail) {
  struct {
    struct bops_profile_block block;
    uint8_t data[MAX_BLOCK_INSTRUCTIONS * (1 + BOPS_PROFILE_MAX_INSTRUCTION_SIZE)];
  } wanted;
  memset(&wanted.block, 0, sizeof wanted.block);
  uint32_t bytes = 0;
  for (size_t i = 0; i < count; i++) {
    wanted.block.data[i] = first[i].size;
    memcpy(wanted.block.data + count + bytes, first[i].bytes, first[i].size);
    bytes += first[i].size;
  }
  wanted.block.address = first->address;
  wanted.block.mapping = mapping_of(first->address);
  wanted.block.flags = provisional_tail ? BOPS_BLOCK_TAIL_PROVISIONAL : 0;
  wanted.block.instructions = (uint16_t)count;
  wanted.block.bytes = bytes;

  if (4 * table_used >= 3 * table_size && !grow_table()) return 0;
  size_t at = hash_of(first->address, wanted.block.data, count + bytes) & (table_size - 1);
  for (; table[at]; at = (at + 1) & (table_size - 1))
    if (same_block(block_info_at(table[at])->record, &wanted.block)) return table[at];

  size_t index = take_index();
  if (index == 0) return 0;
  struct bops_profile_block* block = profile_writer_new_block(
      &plugin.writer, first_ids[index >> CHUNK_SHIFT] + index % CHUNK_BLOCKS, (uint16_t)count,
      bytes);
  if (!block) return 0;
  block->address = wanted.block.address;
  block->mapping = wanted.block.mapping;
  block->flags = wanted.block.flags;
  memcpy(block->data, wanted.block.data, count + bytes);
  const struct instruction* last = &first[count - 1];
  info_chunks[index >> CHUNK_SHIFT][index % CHUNK_BLOCKS] = (struct block_info){
      .record = block,
      .counter = plugin.alone ? counter_alone(index) : NULL,
      .address = block->address,
      .repeat_address = last->rep_string || last->atomic ? last->address : 0,
  };
  profile_record_publish(&block->record, BOPS_RECORD_BLOCK);
  table[at] = (uint32_t)index;
  table_used++;
  return index;
}

/* Has the entries of the block that starts with the tb's instruction `start` counted. */
static void watch(struct qemu_plugin_tb* tb, size_t start, uintptr_t index) {
  const struct block_info* block = block_info_at(index);
  bool alone = plugin.alone && block->counter;
  qemu_plugin_vcpu_udata_cb_t entered = alone ? on_block_alone : on_block;
  void* data = alone ? (void*)block->counter : (void*)index;
  enum qemu_plugin_cb_flags flags = QEMU_PLUGIN_CB_NO_REGS;
  if (block->repeat_address != 0) {
    entered = alone ? on_repeatable_block_alone : on_repeatable_block;
    data = (void*)index;
  }
  if (start == 0 && is_handler(block->address)) {
    entered = alone ? on_handler_block_alone : on_handler_block;
    data = (void*)index;
    flags = QEMU_PLUGIN_CB_R_REGS;
  }
  if (start == 0)
    qemu_plugin_register_vcpu_tb_exec_cb(tb, entered, flags, data);
  else
    qemu_plugin_register_vcpu_insn_exec_cb(qemu_plugin_tb_get_insn(tb, start), entered, flags,
                                           data);
}

/* An atomic instruction is a block of its own: QEMU may leave a block before it, and enter it alone
 * once more. */
void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb* tb) {
  (void)id;
  static struct instruction instructions[MAX_BLOCK_INSTRUCTIONS];
  size_t count = qemu_plugin_tb_n_insns(tb);
  if (!plugin.writer.header || count == 0) return;
  pthread_mutex_lock(&plugin.mutex);
  if (!plugin.process) process_start();
  if (count > MAX_BLOCK_INSTRUCTIONS) {
    profile_writer_lost(&plugin.writer);
    count = 0;
  }
  for (size_t i = 0; i < count; i++) {
    struct qemu_plugin_insn* insn = qemu_plugin_tb_get_insn(tb, i);
    /* The bytes that QEMU keeps are wrong for an instruction across two pages; the code is not. */
    const void* code = qemu_plugin_insn_haddr(insn);
    instructions[i] = (struct instruction){
        .address = qemu_plugin_insn_vaddr(insn),
        .size = (uint8_t)qemu_plugin_insn_size(insn),
        .bytes = code ? code : qemu_plugin_insn_data(insn),
    };
    recognise(&instructions[i]);
  }
  for (size_t start = 0, end; start < count; start = end) {
    end = start + 1;
    while (end < count && !instructions[end].atomic && !instructions[end - 1].atomic) end++;
    /* An instruction that crosses a page is rolled back, unless it is the first, and stays in
     * QEMU's list cut short. */
    const struct instruction* last = &instructions[end - 1];
    bool provisional_tail =
        end == count && count > 1 &&
        (last->address & (PAGE_SIZE - 1)) + BOPS_PROFILE_MAX_INSTRUCTION_SIZE > PAGE_SIZE;
    uintptr_t index = block_of(&instructions[start], end - start, provisional_tail);
    if (index == 0) {
      profile_writer_lost(&plugin.writer);
      continue;
    }
    watch(tb, start, index);
  }
  pthread_mutex_unlock(&plugin.mutex);
}
