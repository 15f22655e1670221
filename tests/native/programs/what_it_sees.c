/* what_it_sees ARGS...: prints what a program can see of how it was loaded, less what differs from
 * run to run: the output is the same wherever it is loaded. `what_it_sees maps` prints
 * /proc/self/maps instead. */
#define _GNU_SOURCE
#include <elf.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

extern char** environ;

static char initialised[5000] = {1, 2, 3};
static char zeros[20000];
#ifdef ROOM /* bytes more, which may leave none below 2 GiB */
static char room[ROOM];
#else
static char room[1];
#endif

static size_t read_all(const char* path, char* to, size_t size) {
  int fd = open(path, O_RDONLY);
  size_t n = 0;
  for (ssize_t part; fd >= 0 && (part = read(fd, to + n, size - n)) > 0;) n += (size_t)part;
  close(fd);
  return n;
}

static int has_elf_magic(uint64_t address) {
  return memcmp((const void*)address, ELFMAG, SELFMAG) == 0;
}

static uint64_t value_of(const Elf64_auxv_t* vector, uint64_t type) {
  for (; vector->a_type != AT_NULL; vector++)
    if (vector->a_type == type) return vector->a_un.a_val;
  return 0;
}

static void show_vector(const Elf64_auxv_t* vector) {
  const Elf64_auxv_t* entry = vector;
  for (; entry->a_type != AT_NULL; entry++) {
    const uint64_t value = entry->a_un.a_val;
    printf("vector %d: ", (int)entry->a_type);
    switch (entry->a_type) {
      case AT_PHDR:
        printf("%ld from the entry\n", (long)(value - value_of(vector, AT_ENTRY)));
        break;
      case AT_BASE: printf("%s\n", value == 0 ? "none" : has_elf_magic(value) ? "ELF" : "?"); break;
      case AT_SYSINFO_EHDR: printf("%s\n", has_elf_magic(value) ? "ELF" : "?"); break;
      case AT_EXECFN:
      case AT_PLATFORM: printf("%s\n", (const char*)value); break;
      case AT_RANDOM:
      case AT_ENTRY: printf("%d\n", value != 0); break;
      default: printf("%#lx\n", (long)value);
    }
  }
  const Elf64_Phdr* header = (const Elf64_Phdr*)value_of(vector, AT_PHDR);
  printf("first program header: %u\n", header[0].p_type);
  static char told[4096];
  const size_t size = (size_t)((const char*)(entry + 1) - (const char*)vector);
  printf("/proc/self/auxv: %d\n",
         read_all("/proc/self/auxv", told, sizeof told) >= size && memcmp(told, vector, size) == 0);
}

static int is_strings(const char* path, char** strings) {
  static char text[1 << 20];
  const size_t size = read_all(path, text, sizeof text);
  const char* at = text;
  for (; *strings; at += strlen(at) + 1, strings++)
    if (at >= text + size || strcmp(at, *strings) != 0) return 0;
  return at == text + size;
}

/* Fields by their numbers in proc(5). */
static uint64_t status_field(int number) {
  static char text[4096];
  text[read_all("/proc/self/stat", text, sizeof text - 1)] = '\0';
  const char* at = strrchr(text, ')');
  for (int i = 2; i < number; i++) at = strchr(at + 1, ' ');
  return strtoull(at, NULL, 10);
}

static void show(char** line, const char* format, ...) {
  va_list rest;
  va_start(rest, format);
  if (vasprintf(line, format, rest) < 0) abort();
  va_end(rest);
}

static int compare(const void* a, const void* b) {
  return strcmp(*(char* const*)a, *(char* const*)b);
}

/* Sorted, as they lie in another order elsewhere. */
static void show_maps(const char* own) {
  static char* shown[100];
  int count = 0;
  FILE* maps = fopen("/proc/self/maps", "r");
  char line[4096 + 256];
  uint64_t own_end = 0;
  while (fgets(line, sizeof line, maps)) {
    unsigned long start, end, offset;
    char permissions[8], path[4096] = "";
    sscanf(line, "%lx-%lx %7s %lx %*s %*s %4095s", &start, &end, permissions, &offset, path);
    const char* base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    const int is_library = !strncmp(base, "ld-", 3) || !strncmp(base, "libc.", 5);
    if (strcmp(path, own) == 0 || (path[0] == '\0' && start == own_end)) {
      show(&shown[count++], "own: %s %#lx bytes at %#lx", permissions, end - start, offset);
      own_end = end;
    } else if (is_library || !strncmp(path, "[v", 2)) {
      show(&shown[count++], "%s: %s %#lx bytes at %#lx", base, permissions, end - start, offset);
    } else if (!strcmp(path, "[stack]") || !strcmp(path, "[heap]")) {
      show(&shown[count++], "%s: %s", path, permissions);
    }
  }
  fclose(maps);
  qsort(shown, (size_t)count, sizeof shown[0], compare);
  for (int i = 0; i < count; i++) puts(shown[i]);
}

static int show_raw_maps(void) {
  static char text[1 << 20];
  return fwrite(text, read_all("/proc/self/maps", text, sizeof text), 1, stdout) != 1;
}

int main(int argc, char** argv) {
  if (argc == 2 && strcmp(argv[1], "maps") == 0) return show_raw_maps();
  for (int i = 0; i < argc; i++) printf("argument %s\n", argv[i]);
  printf("aligned: %d\n", (uintptr_t)(argv - 1) % 16 == 0 && (intptr_t)argv[-1] == argc);
  char** end = environ;
  while (*end) end++;
  show_vector((const Elf64_auxv_t*)(end + 1));
  printf("/proc/self/cmdline: %d\n", is_strings("/proc/self/cmdline", argv));
  printf("/proc/self/environ: %d\n", is_strings("/proc/self/environ", environ));

  char text[4096] = "";
  prctl(PR_GET_NAME, text);
  printf("name %s\n", text);
  ssize_t size = readlink("/proc/self/exe", text, sizeof text - 1);
  text[size > 0 ? size : 0] = '\0';
  printf("/proc/self/exe %s\n", text);
  printf("code: %lu bytes\n", status_field(27) - status_field(26));
  printf("data: %lu bytes\n", status_field(46) - status_field(45));
  printf("stack: %d\n", status_field(28) == (uint64_t)(argv - 1));
  printf("arguments: %d, %lu bytes\n", status_field(48) == (uint64_t)argv[0],
         status_field(49) - status_field(48));

  char* const heap = (char*)syscall(SYS_brk, 0); /* musl has no sbrk */
  syscall(SYS_brk, heap + 100000);
  memset(heap, 1, 100000);
  printf("heap: %d\n", (uint64_t)heap >= status_field(47));
  show_maps(text);

  int nonzero = 0;
  for (size_t i = 3; i < sizeof initialised; i++) nonzero += initialised[i] != 0;
  for (size_t i = 0; i < sizeof zeros; i++) nonzero += zeros[i] != 0;
  nonzero += room[sizeof room - 1];
  room[sizeof room - 1] = 1;
  printf("zeros: %d\n", nonzero == 0);
  struct timespec now;
  printf("clock: %d\n", clock_gettime(CLOCK_MONOTONIC, &now));
  return 7;
}
