/* The block profile: the file in which an exact engine keeps what a run executed.
 *
 * Version 1. Little-endian, for x86-64 code. C, because engines run inside the target.
 *
 * The file is sparse, sized to its capacity when it is created, and mapped shared by every process
 * of the run, so that killing any of them loses nothing. It is a row of extents of 64 KiB. Extent 0
 * starts with the header. Every other extent belongs to one process of the run, which hands out
 * bytes in it to its records, one after another; a record never crosses into an extent that it did
 * not start in, except that one extent header may cover several extents for a large record.
 *
 * Writers take extents with an atomic add on `used`, and ids with atomic adds on `next_*`. A record
 * exists from the moment that its `type`, written last, is not 0; type 0 ends an extent. Fields
 * marked "live" change afterwards, each by a single aligned store of its size; all others never do.
 * So a reader may map the file at any time and sees a state that each thread has passed through.
 *
 * Blocks are straight runs of instructions, entered at their start only. Their ids are unique in
 * the file and shared by fork: a child counts its parent's blocks in counters of its own.
 *
 * A thread's executions of block b are the sum of counters[b - first_block] over its COUNTERS
 * records or, once `packed` is set, the sum over its PACKED records instead, minus its PARTIAL
 * records for b, which tell how far the executions went that left the block midway. The result for
 * one block may be negative where a `rep` was resumed in another block; sums over blocks are not.
 *
 * Regions that the target names (collectors/region) split a thread. A thread is outside any region,
 * where its executions are under its own index, or in a context: a path of nested names, with a
 * REGION record and an index of its own, taken from the same row as those of threads, under which
 * COUNTERS, PACKED, PARTIAL and WORK records stand that belong to exactly this context, those
 * nested in it not included. So an execution is in the profile once, and what a thread did in all
 * is the sum over its own index and those of its contexts. `packed` of the thread speaks for its
 * contexts, too. Two paths with the same set of names and the same innermost name may share a
 * context, which bounds recursion: sums by name do not tell them apart. A path has at most
 * BOPS_PROFILE_MAX_REGION_DEPTH names; what is begun deeper belongs to the deepest context, and the
 * engine says so in a MESSAGE. A process that fork starts has a thread and contexts of its
 * own: what was open is open in it, begun 0 times so far.
 */
#ifndef BOPS_COLLECTORS_EXACT_BLOCK_PROFILE_H
#define BOPS_COLLECTORS_EXACT_BLOCK_PROFILE_H

#include <stdint.h>

#define BOPS_PROFILE_MAGIC "BOPSBLK1"
#define BOPS_PROFILE_FILE_NAME "profile.blocks"

enum {
  BOPS_PROFILE_VERSION = 1,
  BOPS_PROFILE_EXTENT_SIZE = 65536,
  BOPS_PROFILE_EXTENT_MAGIC = 0x58455042, /* "BPEX" */
  BOPS_PROFILE_MAX_INSTRUCTION_SIZE = 15,
  BOPS_PROFILE_MAX_REGION_DEPTH = 256 /* names of one path */
};

/* No thread, no mapping. */
#define BOPS_PROFILE_NONE 0xffffffffu

struct bops_profile_header {
  char magic[8];
  uint32_t version;
  uint32_t extent_size;
  uint64_t capacity;      /* bytes of the file */
  uint64_t start_mono_ns; /* CLOCK_MONOTONIC at the start of the run */
  char engine[16];        /* "qemu", "native"; NUL-terminated */
  uint64_t used;         /* live: bytes of extents handed out; may pass capacity: then it is full */
  uint64_t next_block;   /* live */
  uint32_t next_thread;  /* live */
  uint32_t next_process; /* live */
  uint32_t next_mapping; /* live */
  uint32_t lost;         /* live: how often storage was refused; not 0: counts are missing */
};

struct bops_profile_extent {
  uint32_t magic;
  uint32_t extents; /* how many extents this header covers, 1 or more */
  uint64_t offset;  /* of this header in the file: tells a header from data */
  uint32_t process; /* index of the owner */
  uint32_t reserved;
};

enum bops_profile_record_type {
  BOPS_RECORD_END = 0,
  BOPS_RECORD_PROCESS = 1,
  BOPS_RECORD_THREAD = 2,
  BOPS_RECORD_MAPPING = 3,
  BOPS_RECORD_BLOCK = 4,
  BOPS_RECORD_COUNTERS = 5,
  BOPS_RECORD_PACKED = 6,
  BOPS_RECORD_PARTIAL = 7,
  BOPS_RECORD_UNCOUNTED = 8,
  BOPS_RECORD_MESSAGE = 9,
  BOPS_RECORD_REGION = 10,
  BOPS_RECORD_WORK = 11
};

struct bops_profile_record {
  uint32_t type; /* written last */
  uint32_t size; /* bytes, this header included; a multiple of 8 */
};

/* One program image of one process: fork starts one, and so does exec, with the same pid. */
struct bops_profile_process {
  struct bops_profile_record record;
  uint32_t index; /* unique in the file */
  int32_t pid;
  int32_t ppid;
  uint32_t path_size; /* bytes of path[], no NUL counted */
  uint64_t start_mono_ns;
  uint64_t end_mono_ns; /* live: 0 while it runs or if it was killed */
  char path[];          /* of the executable */
};

struct bops_profile_thread {
  struct bops_profile_record record;
  uint32_t index; /* unique in the file */
  uint32_t process;
  int32_t tid;
  uint32_t packed; /* live: 1 once its PACKED records replace its COUNTERS */
  uint64_t start_mono_ns;
  uint64_t end_mono_ns; /* live: 0 while it runs or if it was killed */
  char name[16];        /* live, NUL-terminated: the kernel's comm; may be seen half-written */
};

/* A mapping of executable memory, as it was when a block in it was first met. */
struct bops_profile_mapping {
  struct bops_profile_record record;
  uint32_t index; /* unique in the file */
  uint32_t path_size;
  uint64_t start; /* addresses as the target sees them */
  uint64_t end;
  uint64_t file_offset;
  uint64_t device;
  uint64_t inode;
  char path[]; /* as in /proc/PID/maps: absolute, or "[stack]"; empty for anonymous memory */
};

enum bops_profile_block_flags {
  /* The engine may have met only the first bytes of the last instruction and then dropped it: it
   * belongs to the block only if its bytes are a complete instruction. */
  BOPS_BLOCK_TAIL_PROVISIONAL = 1,
  /* The engine has joined it to the block with the id `id - follows`: the block with the id before
   * jumps or calls here, and each execution of the first is one of this, whose own counter stays 0.
   * Those joined to one block have follows 1, 2 and so on. PARTIAL records name each for itself. */
  BOPS_BLOCK_FOLLOWS = 2
};

struct bops_profile_block {
  struct bops_profile_record record;
  uint64_t id;
  uint64_t address;
  uint32_t mapping; /* index, or BOPS_PROFILE_NONE */
  uint16_t flags;
  uint16_t instructions; /* n */
  uint32_t bytes;        /* the sum of the n lengths */
  uint32_t follows;      /* 0, or with BOPS_BLOCK_FOLLOWS the distance to the first */
  uint8_t data[];        /* n lengths, then the instructions' bytes */
};

struct bops_profile_counters {
  struct bops_profile_record record;
  uint32_t thread; /* or context; live: BOPS_PROFILE_NONE while none uses it */
  uint32_t blocks; /* n */
  uint64_t first_block;
  uint64_t counters[]; /* live: n executions counted at entry */
};

struct bops_profile_packed_entry {
  uint64_t block;
  uint64_t executions;
};

struct bops_profile_packed {
  struct bops_profile_record record;
  uint32_t thread;  /* or context */
  uint32_t entries; /* n */
  struct bops_profile_packed_entry entry[];
};

struct bops_profile_partial {
  struct bops_profile_record record;
  uint32_t thread;    /* or context */
  uint32_t completed; /* instructions completed before the block was left, less than its n */
  uint64_t block;
  uint64_t times; /* live: how many of the counted executions went only so far */
};

/* A program that runs, but not under the engine. */
struct bops_profile_uncounted {
  struct bops_profile_record record;
  int32_t pid;
  int32_t ppid;
  uint32_t cancelled; /* live: 1 if the exec failed, so that the process is counted after all */
  uint32_t path_size;
  uint32_t reason_size;
  uint32_t reserved;
  uint64_t start_mono_ns;
  char text[]; /* path, then the reason: a phrase for people */
};

/* What the engine would have printed. Never goes to the target's streams. */
struct bops_profile_message {
  struct bops_profile_record record;
  uint32_t process;
  uint32_t text_size;
  char text[];
};

/* A context: one path of nested region names of one thread. */
struct bops_profile_region {
  struct bops_profile_record record;
  uint32_t index;     /* unique in the file among threads and contexts */
  uint32_t thread;    /* that it belongs to */
  uint32_t parent;    /* the context around it, which has a smaller index, or BOPS_PROFILE_NONE */
  uint32_t name_size; /* bytes of name[], no NUL counted: at most BOPS_REGION_MAX_NAME_SIZE */
  uint64_t entries;   /* live: how often it was begun */
  char name[];        /* the innermost of the path, as the target gave it */
};

/* Work that the target says it did. Records of the same unit add up. */
struct bops_profile_work {
  struct bops_profile_record record;
  uint32_t thread; /* outside any region, or the context that it was done in */
  uint32_t unit_size;
  uint64_t amount; /* live */
  char unit[];     /* "tokens", as the target gave it */
};

#endif
