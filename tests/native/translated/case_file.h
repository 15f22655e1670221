/* What the generator of instruction cases writes and runner.c executes, and what it says of them.
 *
 * A case file: header, cases, and from the next page on the code, which the runner maps as it is.
 * Code lies at two addresses, so that what it refers to relative to RIP is once in reach of the
 * engine's cache and once not. Truncated to 32 bits the high addresses are the low ones. */
#ifndef BOPS_TESTS_NATIVE_CASE_FILE_H
#define BOPS_TESTS_NATIVE_CASE_FILE_H

#include <stdint.h>

#define CASE_LOW 0x60000000ul
#define CASE_HIGH 0x7e0060000000ul
#define CASE_DATA 0x8000000ul /* of the data, from CASE_LOW and CASE_HIGH */
#define CASE_PAGE 4096ul
#define CASE_WRITABLE (3 * CASE_PAGE) /* then a page that is read-only, then nothing */
#define CASE_READABLE (4 * CASE_PAGE)
/* A page that only the runner writes: its first word is where a case goes when it is done. */
#define CASE_WAY_OUT (CASE_LOW + CASE_DATA - 16 * CASE_PAGE)
#define CASE_STARTS 96
#define CASE_POKES 6
#define CASE_FAULTS 8

enum case_vectors { kCaseRandom, kCaseSmallDwords, kCaseSmallQwords, kCaseNumbers };

struct case_poke {
  uint64_t address, value;
};

struct instruction_case {
  uint64_t code;
  uint64_t registers[16]; /* in encoding order */
  uint64_t flags, fs_base, seed;
  uint32_t mxcsr;
  uint16_t fcw;
  uint8_t vectors; /* enum case_vectors */
  uint8_t pokes;
  struct case_poke poke[CASE_POKES]; /* written to the data before it starts */
  uint32_t starts;
  uint32_t padding;
  uint16_t start[CASE_STARTS]; /* of instructions, from `code`; the last is the way out */
};

struct case_header {
  uint64_t cases, holes;
  uint64_t low_offset, low_size, high_offset, high_size; /* of the code, in the file */
  uint64_t hole[512];                                    /* addresses of pages to unmap */
};

struct case_fault {
  int32_t signal, code;
  uint64_t address, rip, flags, trap, error, fault_address;
  uint64_t registers[16];
};

struct case_result {
  uint64_t registers[16];
  uint64_t flags;
  uint64_t x87, sse, avx, masks, upper_halves, upper_registers; /* hashes */
  uint64_t memory;                                              /* hash */
  uint64_t changed_address[4], changed_value[4];                /* the first of them */
  uint32_t faults;                                              /* all, the first are below */
  uint32_t steps; /* instructions retired, if they were stepped */
  struct case_fault fault[CASE_FAULTS];
};

#endif
