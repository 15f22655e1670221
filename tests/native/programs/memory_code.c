/* Code written at run time, made executable, changed, moved and unmapped: always the new one runs.
 */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "transcript.h"

typedef int (*function)(void);

enum { kPage = 4096 };

/* mov $value, %eax; ret */
static void put(char* at, int value) {
  at[0] = (char)0xb8;
  memcpy(at + 1, &value, sizeof(value));
  at[5] = (char)0xc3;
}

static void protect(char* at, int rights) {
  must(mprotect(at, kPage, rights) == 0, "mprotect");
}

static char* page(int rights) {
  char* at = mmap(NULL, kPage, rights, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  must(at != MAP_FAILED, "mmap");
  return at;
}

static void flips(void) {
  char* code = page(PROT_READ | PROT_WRITE);
  long sum = 0;
  for (int i = 0; i < 1000; ++i) {
    protect(code, PROT_READ | PROT_WRITE);
    put(code, i);
    protect(code, PROT_READ | PROT_EXEC);
    for (int j = 0; j < 3; ++j) sum += ((function)code)();
  }
  say("flipped: %ld", sum);
  must(munmap(code, kPage) == 0, "munmap");
}

static void mapped_over(void) {
  char* code = page(PROT_READ | PROT_WRITE);
  long sum = 0;
  for (int i = 0; i < 300; ++i) {
    char* again =
        mmap(code, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    must(again == code, "mmap");
    put(code, 2 * i);
    protect(code, PROT_READ | PROT_EXEC);
    sum += ((function)code)();
  }
  say("mapped over: %ld", sum);
  munmap(code, kPage);
}

static void unmapped_and_mapped(void) {
  long sum = 0;
  for (int i = 0; i < 300; ++i) {
    char* code = page(PROT_READ | PROT_WRITE);
    put(code, 3 * i);
    protect(code, PROT_READ | PROT_EXEC);
    sum += ((function)code)();
    munmap(code, kPage);
  }
  say("unmapped and mapped: %ld", sum);
}

static void moved(void) {
  char* code = page(PROT_READ | PROT_WRITE);
  put(code, 7);
  protect(code, PROT_READ | PROT_EXEC);
  long sum = ((function)code)();
  for (int i = 0; i < 10; ++i) {
    char* elsewhere = page(PROT_NONE);
    code = mremap(code, kPage, kPage, MREMAP_MAYMOVE | MREMAP_FIXED, elsewhere);
    must(code == elsewhere, "mremap");
    sum += ((function)code)();
  }
  say("moved: %ld", sum);
}

static void from_files(void) {
  const int file = memfd_create("code", 0);
  char bytes[kPage] = {0};
  long sum = 0;
  for (int i = 0; i < 100; ++i) {
    put(bytes, 5 * i);
    must(pwrite(file, bytes, sizeof(bytes), 0) == kPage, "pwrite");
    char* code = mmap(NULL, kPage, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0);
    sum += ((function)code)();
    munmap(code, kPage);
  }
  say("from a file: %ld", sum);
  close(file);
}

static void across_pages(void) {
  char* code = mmap(NULL, 2 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  long sum = 0;
  for (int i = 0; i < 6; ++i) {
    must(mprotect(code, 2 * kPage, PROT_READ | PROT_WRITE) == 0, "mprotect");
    put(code + kPage - i, 100 + i);
    must(mprotect(code, 2 * kPage, PROT_READ | PROT_EXEC) == 0, "mprotect");
    sum += ((function)(code + kPage - i))();
  }
  /* Only the second page of an instruction across two changes. */
  must(mprotect(code + kPage, kPage, PROT_READ | PROT_WRITE) == 0, "mprotect");
  code[kPage] = 1; /* of the value that starts at kPage - 4 */
  must(mprotect(code + kPage, kPage, PROT_READ | PROT_EXEC) == 0, "mprotect");
  sum += ((function)(code + kPage - 5))();
  say("across pages: %ld", sum);
}

static void fixed_low_and_high(void) {
  static const unsigned long places[] = {0x10000000, 0x7a000000, 0x100000000, 0x7e0000000000};
  for (unsigned i = 0; i < sizeof(places) / sizeof(*places); ++i) {
    char* code = mmap((void*)places[i], kPage, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (code == MAP_FAILED) {
      say("place %u is taken", i);
      continue;
    }
    put(code, (int)i);
    protect(code, PROT_READ | PROT_EXEC);
    long sum = 0;
    for (int j = 0; j < 1000; ++j) sum += ((function)code)();
    say("at place %u: %ld, as asked: %d", i, sum, (unsigned long)code == places[i]);
  }
}

/* At addresses that differ above 4 GiB only: written, called in turn, written again; then as many
 * functions as make every table grow. */
static void alike_and_many(void) {
  enum { kSize = 1 << 20, kFew = 40, kMany = 12000 };
  char* places[3];
  for (int i = 0; i < 3; ++i) {
    char* const wanted = (char*)(0x600000000000 + i * 0x100000000);
    places[i] = mmap(wanted, kSize, PROT_READ | PROT_WRITE | PROT_EXEC,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    must(places[i] == wanted, "mmap");
  }
  long sum = 0;
  for (int round = 0; round < 100; ++round) {
    for (int i = 0; i < 3 * kFew; ++i) put(places[i % 3] + i / 3 * 64, round * 1000 + i);
    for (int again = 0; again < 2; ++again)
      for (int i = 0; i < 3 * kFew; ++i) {
        const int value = ((function)(places[i % 3] + i / 3 * 64))();
        must(value == round * 1000 + i, "a function");
        sum += value;
      }
  }
  for (int i = 0; i < 2 * kMany; ++i) put(places[i % 2] + i / 2 * 16, i);
  for (int again = 0; again < 2; ++again)
    for (int i = 0; i < 2 * kMany; ++i) {
      const int value = ((function)(places[i % 2] + i / 2 * 16))();
      must(value == i, "one of many functions");
      sum += value;
    }
  say("alike and many: %ld", sum);
  for (int i = 0; i < 3; ++i) munmap(places[i], kSize);
}

int main(void) {
  flips();
  mapped_over();
  unmapped_and_mapped();
  moved();
  from_files();
  across_pages();
  fixed_low_and_high();
  alike_and_many();
  return 0;
}
