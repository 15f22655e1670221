/* change_code: makes code, moves it, protects it, replaces it and takes it away in every way that
 * the kernel offers, calling it in between. Exits with 0 if each call did what it promised. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PAGE = 4096 };

static void require(int holds, const char* what) {
  if (holds) return;
  fprintf(stderr, "change_code: %s (%s)\n", what, strerror(errno));
  _exit(1);
}

/* mov eax, value; ret */
static void write_code(void* at, int value) {
  char* code = at;
  code[0] = (char)0xb8;
  memcpy(code + 1, &value, sizeof value);
  code[5] = (char)0xc3;
}

static int call(void* code) {
  return ((int (*)(void))code)();
}

static char* map(size_t pages, int protection, int more, void* at) {
  char* memory = mmap(at, pages * PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS | more, -1, 0);
  require(memory != MAP_FAILED, "mmap");
  return memory;
}

enum { RW = PROT_READ | PROT_WRITE, RX = PROT_READ | PROT_EXEC, RWX = RW | PROT_EXEC };

static void write_then_execute(void) {
  char* code = map(8, RW, 0, NULL);
  for (int round = 0; round < 50; round++) {
    for (int page = 0; page < 8; page++) write_code(code + page * PAGE, round + page);
    require(mprotect(code, 8 * PAGE, RX) == 0, "mprotect RX");
    for (int page = 0; page < 8; page++) require(call(code + page * PAGE) == round + page, "code");
    require(mprotect(code + PAGE, 3 * PAGE, RW) == 0, "mprotect RW, in the middle");
    write_code(code + PAGE, 77);
    require(mprotect(code + PAGE, PAGE, PROT_EXEC) == 0 && call(code + PAGE) == 77, "only X");
    require(mprotect(code, 8 * PAGE, RW) == 0, "mprotect RW");
  }
  require(mprotect(code, PAGE, RX) == 0 && munmap(code + 1, PAGE) == -1 && call(code) == 49,
          "munmap that fails");
  require(munmap(code + 2 * PAGE, PAGE) == 0, "munmap in the middle");
  require(mprotect(code, 8 * PAGE, RX) == -1 && errno == ENOMEM, "a hole is not protected");
  require(call(code) == 49, "what lies before the hole is");
  require(munmap(code, 8 * PAGE) == 0, "munmap with a hole");
}

static void replace(void) {
  char* code = map(4, RWX, 0, NULL);
  for (int page = 0; page < 4; page++) write_code(code + page * PAGE, page);
  map(1, RW, MAP_FIXED, code + PAGE);
  require(call(code) == 0 && call(code + 2 * PAGE) == 2, "neighbours of what was replaced");
  write_code(map(1, RWX, MAP_FIXED, code + PAGE), 11);
  require(call(code + PAGE) == 11, "code in the place of data");
  require(mmap(code, PAGE, RX, MAP_PRIVATE | MAP_FIXED, 9999, 0) == MAP_FAILED && errno == EBADF,
          "mmap of no file");
  require(call(code) == 0, "a call that fails changes nothing");
  require(madvise(code + 2 * PAGE, PAGE, MADV_DONTNEED) == 0 && code[2 * PAGE] == 0, "madvise");
  write_code(code + 2 * PAGE, 22);
  require(call(code + 2 * PAGE) == 22, "code after madvise");
  munmap(code, 4 * PAGE);
}

static void move(void) {
  char* code = map(2, RWX, 0, NULL);
  write_code(code, 5);
  char* larger = mremap(code, 2 * PAGE, 64 * PAGE, MREMAP_MAYMOVE);
  require(larger != MAP_FAILED && call(larger) == 5, "mremap to grow");
  char* place = map(64, RWX, 0, NULL);
  write_code(place, 6);
  require(mremap(larger, 64 * PAGE, 64 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place) == place &&
              call(place) == 5,
          "mremap over other code");
  require(mremap(place, 64 * PAGE, PAGE, 0) == place && call(place) == 5, "mremap to shrink");
  munmap(place, PAGE);
}

static void share(void) {
  int file = memfd_create("code", 0);
  require(file >= 0 && ftruncate(file, 2 * PAGE) == 0, "memfd_create");
  char* writable = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, file, 0);
  char* code = mmap(NULL, 2 * PAGE, RX, MAP_SHARED, file, 0);
  require(writable != MAP_FAILED && code != MAP_FAILED, "two mappings of a file");
  write_code(writable + PAGE, 8);
  require(call(code + PAGE) == 8, "code written through another mapping");
  require(mprotect(code + PAGE, PAGE, PROT_NONE) == 0 && mprotect(code + PAGE, PAGE, RX) == 0 &&
              call(code + PAGE) == 8,
          "a page of a file, after it was protected");
  char* again = mremap(code, 0, 2 * PAGE, MREMAP_MAYMOVE);
  require(again != MAP_FAILED && call(again + PAGE) == 8, "a third mapping by mremap");
  munmap(writable, 2 * PAGE);
  munmap(code, 2 * PAGE);
  munmap(again, 2 * PAGE);
  close(file);

  int segment = shmget(IPC_PRIVATE, 2 * PAGE, 0600 | IPC_CREAT);
  if (segment < 0) return;
  char* attached = shmat(segment, NULL, SHM_EXEC);
  shmctl(segment, IPC_RMID, NULL);
  require(attached != (char*)-1, "shmat");
  write_code(attached, 9);
  require(call(attached) == 9, "code in a shared segment");
  require(shmdt(attached) == 0, "shmdt");
}

static void use_heap(void) {
  char* start = sbrk(0);
  start += (PAGE - (unsigned long)start % PAGE) % PAGE;
  require(brk(start + 4 * PAGE) == 0, "brk");
  write_code(start + PAGE, 3);
  require(mprotect(start + PAGE, 2 * PAGE, RWX) == 0 && call(start + PAGE) == 3,
          "code in the heap");
  require(brk(start + PAGE) == 0 && sbrk(0) == start + PAGE, "brk downwards");
  require(brk(start + 2 * PAGE) == 0 && start[PAGE] == 0, "brk upwards again");
}

static void use_stack(void) {
  char code[64];
  write_code(code, 4);
  char* page = (char*)((unsigned long)code & ~(PAGE - 1ul));
  require(mprotect(page, PAGE, RWX | PROT_GROWSDOWN) == 0 && call(code) == 4, "code on the stack");
}

static void reserve(void) {
  char* arena = map(65536, PROT_NONE, MAP_NORESERVE, NULL);
  require(mprotect(arena + 16 * PAGE, 16 * PAGE, RWX) == 0, "part of a reservation");
  write_code(arena + 20 * PAGE, 12);
  require(call(arena + 20 * PAGE) == 12, "code in a reservation");
  munmap(arena, 65536ul * PAGE);

  char* wish = map(1, RW, 0, NULL);
  munmap(wish, PAGE);
  require(map(1, RX, 0, wish) == wish, "a free address that was wished for");
  char* elsewhere = map(1, RX, 0, wish);
  require(elsewhere != wish, "an address that is taken");
  munmap(wish, PAGE);
  munmap(elsewhere, PAGE);

  munmap(map(1, PROT_EXEC, 0, NULL), PAGE);

  int key = (int)syscall(SYS_pkey_alloc, 0, 0);
  char* code = map(1, RW, 0, NULL);
  write_code(code, 13);
  require(syscall(SYS_pkey_mprotect, code, PAGE, RX, key >= 0 ? key : -1) == 0 && call(code) == 13,
          "pkey_mprotect");
  munmap(code, PAGE);
}

static void ask_for_nonsense(void) {
  require(munmap((void*)1, PAGE) == -1 && errno == EINVAL, "munmap of no page");
  require(munmap(NULL, 0) == -1 && errno == EINVAL, "munmap of nothing");
  require(munmap((void*)PAGE, -1ul) == -1 && errno == EINVAL, "munmap of everything");
  require(mprotect((void*)1, PAGE, RX) == -1 && errno == EINVAL, "mprotect of no page");
  require(mprotect((void*)PAGE, PAGE, RX) == -1 && errno == ENOMEM, "mprotect of nothing there");
  require(mmap(NULL, 0, RX, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == EINVAL,
          "mmap of nothing");
  require(mmap(NULL, -1ul, RX, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == ENOMEM,
          "mmap of everything");
  require(mremap((void*)PAGE, PAGE, PAGE, 0) == MAP_FAILED && errno == EFAULT,
          "mremap of nothing there");
  require(shmdt((void*)PAGE) == -1 && errno == EINVAL, "shmdt of nothing there");
}

int main(void) {
  write_then_execute();
  replace();
  move();
  share();
  use_heap();
  use_stack();
  reserve();
  ask_for_nonsense();
  puts("changed");
  return 0;
}
