/* What profile_writer.c, program_file.c and the compiler ask of a C library, on raw system calls.
 *
 * errno is one for all threads: it is looked at only behind calls that failed, to tell one reason
 * from another, and nothing but the wording of a message depends on it when two threads fail at
 * once. */
#define _GNU_SOURCE
#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

static int last_error;

int* __errno_location(void) {
  return &last_error;
}

static long call(long number, long a, long b, long c, long d, long e, long f) {
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  if (result >= 0 || result < -4095) return result;
  last_error = (int)-result;
  return -1;
}

int open(const char* path, int flags, ...) {
  long mode = 0;
  if (flags & O_CREAT) {
    va_list rest;
    va_start(rest, flags);
    mode = va_arg(rest, int);
    va_end(rest);
  }
  return (int)call(__NR_open, (long)path, flags, mode, 0, 0, 0);
}

int close(int fd) {
  return (int)call(__NR_close, fd, 0, 0, 0, 0, 0);
}

ssize_t read(int fd, void* to, size_t size) {
  return call(__NR_read, fd, (long)to, (long)size, 0, 0, 0);
}

ssize_t pread(int fd, void* to, size_t size, off_t at) {
  return call(__NR_pread64, fd, (long)to, (long)size, at, 0, 0);
}

/* struct stat is the kernel's own on x86-64. */
int stat(const char* restrict path, struct stat* restrict status) {
  return (int)call(__NR_stat, (long)path, (long)status, 0, 0, 0, 0);
}

int fstat(int fd, struct stat* status) {
  return (int)call(__NR_fstat, fd, (long)status, 0, 0, 0, 0);
}

int access(const char* path, int mode) {
  return (int)call(__NR_access, (long)path, mode, 0, 0, 0, 0);
}

int faccessat(int directory, const char* path, int mode, int flags) {
#ifdef __NR_faccessat2
  long result = call(__NR_faccessat2, directory, (long)path, mode, flags, 0, 0);
  if (result == 0 || last_error != ENOSYS) return (int)result;
#endif
  /* Before Linux 5.8 the kernel asks for the real user only, whom few programs differ from. */
  return (int)call(__NR_faccessat, directory, (long)path, mode, 0, 0, 0);
}

ssize_t getxattr(const char* path, const char* name, void* value, size_t size) {
  return call(__NR_getxattr, (long)path, (long)name, (long)value, (long)size, 0, 0);
}

uid_t geteuid(void) {
  return (uid_t)call(__NR_geteuid, 0, 0, 0, 0, 0, 0);
}

gid_t getegid(void) {
  return (gid_t)call(__NR_getegid, 0, 0, 0, 0, 0, 0);
}

void* mmap(void* at, size_t size, int protection, int flags, int fd, off_t offset) {
  return (void*)call(__NR_mmap, (long)at, (long)size, protection, flags, fd, offset);
}

int munmap(void* at, size_t size) {
  return (int)call(__NR_munmap, (long)at, (long)size, 0, 0, 0, 0);
}

int madvise(void* at, size_t size, int advice) {
  return (int)call(__NR_madvise, (long)at, (long)size, advice, 0, 0, 0);
}

int clock_gettime(clockid_t clock, struct timespec* time) {
  return (int)call(__NR_clock_gettime, clock, (long)time, 0, 0, 0, 0);
}

/* String instructions, since the compiler turns loops into calls of the very functions here. */
void* memcpy(void* restrict to, const void* restrict from, size_t size) {
  void* at = to;
  __asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(size) : : "memory");
  return to;
}

void* memset(void* to, int value, size_t size) {
  void* at = to;
  __asm__ volatile("rep stosb" : "+D"(at), "+c"(size) : "a"(value) : "memory");
  return to;
}

void* memmove(void* to, const void* from, size_t size) {
  if ((uintptr_t)to - (uintptr_t)from >= size) return memcpy(to, from, size);
  char* at = (char*)to + size - 1;
  const char* last = (const char*)from + size - 1;
  __asm__ volatile("std; rep movsb; cld" : "+D"(at), "+S"(last), "+c"(size) : : "memory");
  return to;
}

int memcmp(const void* a, const void* b, size_t size) {
  const unsigned char *x = a, *y = b;
  for (size_t i = 0; i < size; i++)
    if (x[i] != y[i]) return x[i] - y[i];
  return 0;
}

void* memchr(const void* text, int character, size_t size) {
  const unsigned char* at = text;
  for (; size > 0; at++, size--)
    if (*at == (unsigned char)character) return (void*)(uintptr_t)at;
  return NULL;
}

size_t strlen(const char* text) {
  const char* end = text;
  /* The barrier keeps the compiler from recognising strlen. */
  while (*end) {
    end++;
    __asm__ volatile("" : "+r"(end));
  }
  return (size_t)(end - text);
}

char* strcpy(char* restrict to, const char* restrict from) {
  return memcpy(to, from, strlen(from) + 1);
}

char* strncpy(char* restrict to, const char* restrict from, size_t size) {
  size_t i = 0;
  for (; i < size && from[i]; i++) to[i] = from[i];
  for (; i < size; i++) to[i] = '\0';
  return to;
}

int strcmp(const char* a, const char* b) {
  while (*a && *a == *b) a++, b++;
  return (unsigned char)*a - (unsigned char)*b;
}

static int occurs(char character, const char* set) {
  for (; *set; set++)
    if (*set == character) return 1;
  return 0;
}

size_t strspn(const char* text, const char* set) {
  size_t size = 0;
  while (text[size] && occurs(text[size], set)) size++;
  return size;
}

char* strpbrk(const char* text, const char* set) {
  for (; *text; text++)
    if (occurs(*text, set)) return (char*)(uintptr_t)text;
  return NULL;
}
