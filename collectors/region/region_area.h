/* How a thread of a target reads its own hardware counters for its regions, and where it keeps what
 * it read. In-target code and the collector of hardware counters share this file and nothing else.
 *
 * Nobody answers the system call of region_protocol.h: then the tracer is asked, if there is one.
 * A bops that follows threads listens on the abstract socket (unix(7), SOCK_SEQPACKET)
 *
 *   BOPS_REGION_SOCKET, the inode of the PID namespace, "-", its process id     (decimal)
 *
 * and the thread, at its first operation, sends the 4 bytes of its id there. It gets one
 * bops_region_answer, with the descriptor of its area (a memfd, sealed against other sizes) and
 * after it those of the leaders of its groups of events, which count it already; or no descriptor:
 * then its regions are not heard of. What a group reads is its number of values, the times enabled
 * and running, and the values (PERF_FORMAT_GROUP). Of a single group the other events' descriptors
 * follow, in the order of the values: what is mapped can be read by rdpmc.
 *
 * The area belongs to one thread of one program image. Only this thread writes to it, but for
 * `ended`, which bops sets: after that the area and the descriptors are of no use. Two copies of
 * the library in one process get the same area for a thread.
 *
 * An operation writes to `next` what will be, makes `sequence` odd, carries `next` out, and makes
 * `sequence` even. So a reader that finds the same number before and after has the state before an
 * odd operation was carried out at least in `next`, whatever the thread was killed in: it
 * carries it out itself. Two things stand outside of that and change by single stores: amounts of
 * work, and flags.
 *
 * The reader trusts nothing in it: the target can write here what it likes. */
#ifndef BOPS_COLLECTORS_REGION_REGION_AREA_H
#define BOPS_COLLECTORS_REGION_REGION_AREA_H

#include <stdint.h>

#define BOPS_REGION_SOCKET "bops-region-"
#define BOPS_REGION_AREA_MAGIC "BOPSREG1"

enum {
  BOPS_REGION_MAX_GROUPS = 4,
  BOPS_REGION_MAX_WORDS = 8, /* of a group: enabled, running, values */
  BOPS_REGION_MAX_EVENTS = BOPS_REGION_MAX_WORDS - 2,
  /* that are sent: the area's, and those of one group's events or of several groups' leaders */
  BOPS_REGION_MAX_DESCRIPTORS = 1 + BOPS_REGION_MAX_EVENTS,
  BOPS_REGION_MAX_DEPTH = 512,
  BOPS_REGION_MAX_CONTEXTS = 512,
  BOPS_REGION_MAX_WORKS = 256,
  BOPS_REGION_NAME_BYTES = 256 /* BOPS_REGION_MAX_NAME_SIZE and a NUL */
};

/* No context: outside of all regions. */
#define BOPS_REGION_NONE 0xffffffffu

enum bops_region_end {
  BOPS_REGION_GOES_ON = 0,
  BOPS_REGION_OVER = 1, /* the thread executes nothing more: whoever finds this may clean up */
  BOPS_REGION_LEFT = 2  /* bops has left the thread: which may clean up itself */
};

struct bops_region_answer {
  uint32_t groups;
};

/* Nanoseconds and counts, summed up or as last read. */
struct bops_region_values {
  uint64_t word[BOPS_REGION_MAX_GROUPS][BOPS_REGION_MAX_WORDS];
};

/* A path of nested names: paths with the same names and the same innermost one share one, which
 * bounds recursion. What was executed in a context is in this one alone, not in those around it. */
struct bops_region_context {
  uint32_t parent; /* the context around it, which has a smaller index, or BOPS_REGION_NONE */
  uint32_t reserved;
  uint64_t entries;
  struct bops_region_values counted;
  char name[BOPS_REGION_NAME_BYTES];
};

struct bops_region_work {
  uint32_t context; /* that it was done in, or BOPS_REGION_NONE */
  uint32_t reserved;
  uint64_t amount;
  char unit[BOPS_REGION_NAME_BYTES];
};

/* What an operation changes. */
struct bops_region_change {
  uint32_t contexts; /* how many there are then */
  uint32_t depth;
  uint32_t top;     /* then innermost; BOPS_REGION_NONE at depth 0 */
  uint32_t left;    /* the context that `left_counted` is for, or BOPS_REGION_NONE */
  uint32_t entered; /* the context that `entries` is for, or BOPS_REGION_NONE */
  uint32_t reserved;
  uint64_t entries;
  struct bops_region_values left_counted;
  struct bops_region_values last;
};

struct bops_region_area {
  char magic[8];
  uint32_t size; /* bytes of the area */
  int32_t tid;
  uint32_t groups;                        /* 0: nothing is counted, only entries and work */
  uint32_t words[BOPS_REGION_MAX_GROUPS]; /* of each group that is used */
  uint32_t ended;                         /* by bops: one of bops_region_end */
  uint32_t taken;                         /* the thread has it and its descriptors */
  uint32_t lost;    /* reading failed once: nothing of what was counted means anything */
  uint32_t refused; /* a region found no room, and is counted with the one around it */
  uint32_t beyond;  /* how many are open beyond BOPS_REGION_MAX_DEPTH */
  uint64_t sequence;
  uint32_t contexts;
  uint32_t works;
  uint32_t depth;
  uint32_t reserved;
  struct bops_region_values last; /* as last read: what comes after belongs to the innermost */
  struct bops_region_change next;
  uint32_t open[BOPS_REGION_MAX_DEPTH]; /* contexts, outermost first */
  struct bops_region_context context[BOPS_REGION_MAX_CONTEXTS];
  struct bops_region_work work[BOPS_REGION_MAX_WORKS];
};

#endif
