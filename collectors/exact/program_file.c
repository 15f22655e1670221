#include "collectors/exact/program_file.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { SCRIPT_HEAD = 256 /* BINPRM_BUF_SIZE: bytes of a script that Linux looks at */ };

static void decide(struct program_file* file, enum program_kind kind, const char* reason) {
  file->kind = kind;
  file->reason = reason;
}

/* A program that gains privileges would lose them under an engine, which is executed in its place.
 */
static bool gains_privileges(const struct stat* status) {
  if ((status->st_mode & S_ISUID) && status->st_uid != geteuid()) return true;
  return (status->st_mode & S_ISGID) && (status->st_mode & S_IXGRP) && status->st_gid != getegid();
}

/* Root has all capabilities anyway. */
static bool gains_capabilities(const char* path) {
  return geteuid() != 0 && getxattr(path, "security.capability", NULL, 0) > 0;
}

/* What execve asks of the program headers: that they can be read, and that the dynamic loader that
 * they name is there. */
static bool can_be_loaded(const char* path, const Elf64_Ehdr* header) {
  char loader[PATH_MAX] = "";
  if (header->e_phentsize != sizeof(Elf64_Phdr) || header->e_phnum == 0) return false;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  bool complete = fd >= 0;
  for (unsigned i = 0; complete && i < header->e_phnum; i++) {
    Elf64_Phdr segment;
    off_t at = (off_t)(header->e_phoff + i * sizeof segment);
    complete = pread(fd, &segment, sizeof segment, at) == (ssize_t)sizeof segment;
    if (!complete || segment.p_type != PT_INTERP || segment.p_filesz >= sizeof loader) continue;
    if (pread(fd, loader, segment.p_filesz, (off_t)segment.p_offset) < 0) loader[0] = '\0';
    break;
  }
  if (fd >= 0) close(fd);
  return complete && (loader[0] == '\0' || access(loader, F_OK) == 0);
}

static void classify_elf(struct program_file* file, const unsigned char* head, size_t size) {
  Elf64_Ehdr header;
  if (size < sizeof header) return decide(file, PROGRAM_INVALID, NULL);
  memcpy(&header, head, sizeof header);
  if (header.e_ident[EI_CLASS] == ELFCLASS32)
    return decide(file, PROGRAM_UNCOUNTABLE, "it is a 32-bit program");
  if (header.e_machine != EM_X86_64)
    return decide(file, PROGRAM_UNCOUNTABLE, "it is not an x86-64 program");
  if ((header.e_type != ET_EXEC && header.e_type != ET_DYN) || !can_be_loaded(file->path, &header))
    return decide(file, PROGRAM_INVALID, NULL);
  decide(file, PROGRAM_COUNTABLE, NULL);
}

/* Splits "#!  interpreter  [one argument]" as fs/binfmt_script.c does. False: not a valid line. */
static bool split_script_line(char* line, size_t size, char** interpreter, char** argument) {
  char* end = memchr(line, '\n', size);
  if (!end) {
    if (size == SCRIPT_HEAD) return false; /* Linux refuses a truncated interpreter path */
    end = line + size;
  }
  while (end > line + 2 && (end[-1] == ' ' || end[-1] == '\t')) end--;
  *end = '\0';
  char* word = line + 2 + strspn(line + 2, " \t");
  if (*word == '\0') return false;
  *interpreter = word;
  *argument = NULL;
  char* gap = strpbrk(word, " \t");
  if (gap) {
    *gap = '\0';
    *argument = gap + 1 + strspn(gap + 1, " \t");
    if (**argument == '\0') *argument = NULL;
  }
  return true;
}

struct text_pool {
  char* next;
  char* end;
};

static char* keep(struct text_pool* pool, const char* text) {
  size_t size = strlen(text) + 1;
  if (size > (size_t)(pool->end - pool->next)) return NULL;
  char* copy = memcpy(pool->next, text, size);
  pool->next += size;
  return copy;
}

/* Reads the first bytes of the program at file->path, if it is one that may be executed. */
static ssize_t read_head(struct program_file* file, unsigned char head[SCRIPT_HEAD + 1]) {
  struct stat status;
  if (stat(file->path, &status) != 0 || !S_ISREG(status.st_mode) ||
      faccessat(AT_FDCWD, file->path, X_OK, AT_EACCESS) != 0) {
    decide(file, PROGRAM_INVALID, NULL);
    return -1;
  }
  int fd = open(file->path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    decide(file, PROGRAM_UNCOUNTABLE,
           errno == EACCES ? "it may be executed but not read" : "it cannot be opened");
    return -1;
  }
  ssize_t size = read(fd, head, SCRIPT_HEAD);
  close(fd);
  if (size < 4) {
    decide(file, PROGRAM_INVALID, NULL);
    return -1;
  }
  bool script = head[0] == '#' && head[1] == '!';
  if (!script && gains_privileges(&status)) {
    decide(file, PROGRAM_UNCOUNTABLE, "it is setuid or setgid");
    return -1;
  }
  if (!script && gains_capabilities(file->path)) {
    decide(file, PROGRAM_UNCOUNTABLE, "it has file capabilities");
    return -1;
  }
  return size;
}

void program_file_resolve(struct program_file* file, const char* path) {
  struct text_pool pool = {file->storage, file->storage + sizeof file->storage};
  file->prefix_count = 0;
  if (strlen(path) >= sizeof file->path) return decide(file, PROGRAM_INVALID, NULL);
  strcpy(file->path, path);
  for (int depth = 0; depth <= PROGRAM_MAX_SCRIPTS; depth++) {
    unsigned char head[SCRIPT_HEAD + 1];
    ssize_t size = read_head(file, head);
    if (size < 0) return;
    if (memcmp(head, ELFMAG, SELFMAG) == 0) return classify_elf(file, head, (size_t)size);
    char *interpreter, *argument;
    if (head[0] != '#' || head[1] != '!')
      return decide(file, PROGRAM_UNKNOWN, "it is neither an x86-64 program nor a script");
    if (!split_script_line((char*)head, (size_t)size, &interpreter, &argument))
      return decide(file, PROGRAM_INVALID, NULL);
    /* The words of this interpreter go in front; its script is the word that stood for argv[0]. */
    char* words[3];
    int count = 0;
    words[count++] = keep(&pool, interpreter);
    if (argument) words[count++] = keep(&pool, argument);
    if (file->prefix_count == 0) words[count++] = keep(&pool, file->path);
    int shift = file->prefix_count == 0 ? 0 : count;
    if (file->prefix_count + count > (int)(sizeof file->prefix / sizeof file->prefix[0]))
      return decide(file, PROGRAM_INVALID, NULL);
    memmove(file->prefix + shift, file->prefix, (size_t)file->prefix_count * sizeof(char*));
    for (int i = 0; i < count; i++) {
      if (!words[i]) return decide(file, PROGRAM_INVALID, NULL);
      file->prefix[i] = words[i];
    }
    file->prefix_count += count;
    if (strlen(interpreter) >= sizeof file->path) return decide(file, PROGRAM_INVALID, NULL);
    strcpy(file->path, interpreter);
  }
  decide(file, PROGRAM_INVALID, NULL); /* ELOOP */
}
