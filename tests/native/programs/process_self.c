/* What a program can read of itself: /proc/self, its auxiliary vector, its name, its memory. */
#define _GNU_SOURCE
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "transcript.h"

extern const char _start[], __executable_start[];
extern char edata, end;

static const char* base_name(const char* path) {
  const char* slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

static void exe(const char* link, const char* self) {
  char path[4096] = "";
  const ssize_t size = readlink(link, path, sizeof(path) - 1);
  say("%s: %s, length %d", link, base_name(path), size == (ssize_t)strlen(path));
  struct stat by_link, by_name;
  must(stat(link, &by_link) == 0 && stat(path, &by_name) == 0, "stat");
  say("the same file: %d %d", by_link.st_ino == by_name.st_ino, strcmp(path, self) == 0);
  const int fd = open(link, O_RDONLY);
  Elf64_Ehdr header;
  must(read(fd, &header, sizeof(header)) == (ssize_t)sizeof(header), "read");
  say("its entry is ours: %d", header.e_entry == (Elf64_Addr)(_start - __executable_start) ||
                                   header.e_entry == (Elf64_Addr)_start);
  say("fstat %d", fstat(fd, &by_link) == 0 && by_link.st_ino == by_name.st_ino);
  close(fd);
  struct stat link_itself;
  must(lstat(link, &link_itself) == 0, "lstat");
  say("a link: %d; access %d %d", S_ISLNK(link_itself.st_mode), access(link, X_OK),
      faccessat(AT_FDCWD, link, R_OK, AT_EACCESS));
  char two[3] = "";
  say("cut short: %ld", (long)readlink(link, two, 2));
}

static void text_of(const char* path, char* text, size_t room) {
  const int fd = open(path, O_RDONLY);
  size_t size = 0;
  for (ssize_t more; (more = read(fd, text + size, room - 1 - size)) > 0;) size += (size_t)more;
  text[size] = '\0';
  close(fd);
}

static void command_line(int argc, char** argv) {
  static char text[65536];
  text_of("/proc/self/cmdline", text, sizeof(text));
  const char* word = text;
  for (int i = 0; i < argc; ++i, word += strlen(word) + 1)
    say("word %d %s", i, strcmp(word, argv[i]) == 0 ? "right" : word);
  say("and no more: %d", *word == '\0');
  text_of("/proc/self/comm", text, sizeof(text));
  say("comm %s", strtok(text, "\n"));
  char name[16];
  prctl(PR_GET_NAME, name);
  say("name %s, %s", name, program_invocation_short_name);
  text_of("/proc/self/environ", text, sizeof(text));
  say("environ: %d", environ[0] == NULL || strcmp(text, environ[0]) == 0);
}

static void maps(void) {
  FILE* file = fopen("/proc/self/maps", "r");
  char* line = NULL;
  size_t room = 0;
  int of_code = 0, stack = 0, heap = 0, program = 0, libc = 0;
  char* volatile allocated = malloc(1000);
  while (getline(&line, &room, file) > 0) {
    unsigned long start = 0, stop = 0;
    char rights[8] = "";
    if (sscanf(line, "%lx-%lx %7s", &start, &stop, rights) != 3) continue;
    const unsigned long code = (unsigned long)_start;
    if (start <= code && code < stop)
      of_code = strcmp(rights, "r-xp") == 0 && strstr(line, "process_self");
    if (strstr(line, "[stack]"))
      stack = start <= (unsigned long)&room && (unsigned long)&room < stop;
    if (strstr(line, "[heap]"))
      heap = start <= (unsigned long)allocated && (unsigned long)allocated < stop;
    program += strstr(line, "/process_self") != NULL;
    libc += strstr(line, "/libc.so") != NULL && rights[2] == 'x';
  }
  say("maps: code %d stack %d heap %d program %d libc %d", of_code, stack, heap, program >= 4,
      libc);
  fclose(file);
}

static void auxiliary(const char* self) {
  const Elf64_Phdr* headers = (const Elf64_Phdr*)getauxval(AT_PHDR);
  say("AT_PHDR in the program: %d, %d of them",
      (const char*)headers == __executable_start + sizeof(Elf64_Ehdr),
      getauxval(AT_PHNUM) == ((const Elf64_Ehdr*)__executable_start)->e_phnum);
  say("AT_ENTRY %d AT_EXECFN %d AT_PHENT %d AT_PAGESZ %lu AT_SECURE %lu",
      getauxval(AT_ENTRY) == (unsigned long)_start,
      strcmp((const char*)getauxval(AT_EXECFN), self) == 0,
      getauxval(AT_PHENT) == sizeof(Elf64_Phdr), getauxval(AT_PAGESZ), getauxval(AT_SECURE));
  say("AT_UID %d AT_RANDOM %d AT_PLATFORM %s AT_BASE %d", getauxval(AT_UID) == getuid(),
      getauxval(AT_RANDOM) != 0, (const char*)getauxval(AT_PLATFORM), getauxval(AT_BASE) != 0);
  const Elf64_Ehdr* vdso = (const Elf64_Ehdr*)getauxval(AT_SYSINFO_EHDR);
  say("AT_SYSINFO_EHDR an ELF file: %d",
      vdso == NULL || memcmp(vdso->e_ident, ELFMAG, SELFMAG) == 0);
}

static int one_object(struct dl_phdr_info* info, size_t size, void* count) {
  (void)size, (void)info;
  ++*(int*)count;
  return 0;
}

static void memory(void) {
  char* before = sbrk(0);
  say("the heap is behind nothing of ours: %d", before >= &end);
  must(sbrk(1 << 20) == before, "sbrk");
  memset(before, 1, 1 << 20);
  say("sbrk: %d %d", sbrk(0) == before + (1 << 20), before[(1 << 20) - 1]);
  must(sbrk(-(1 << 20)) != (void*)-1, "sbrk");
  say("given back: %d", sbrk(0) == before);
  int objects = 0;
  dl_iterate_phdr(one_object, &objects);
  say("objects: %d", objects >= 2);
}

int main(int argc, char** argv) {
  char* self = realpath(argv[0], NULL);
  exe("/proc/self/exe", self);
  char by_pid[64];
  snprintf(by_pid, sizeof(by_pid), "/proc/%d/exe", getpid());
  char path[4096] = "";
  must(readlink(by_pid, path, sizeof(path) - 1) > 0, "readlink");
  say("by pid: %s", base_name(path));
  must(readlink("/proc/thread-self/exe", path, sizeof(path) - 1) > 0, "readlink");
  say("by thread: %s", base_name(path));
  command_line(argc, argv);
  maps();
  auxiliary(self);
  memory();
  return 0;
}
