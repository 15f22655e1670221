/* odd_segments: its linker script gives it segments that compilers do not. Writes what is in them,
 * and whether they can be written. */
static long call(long number, long a, long b, long c) {
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c)
                   : "rcx", "r11", "memory");
  return result;
}

extern char readable_start[], readable_end[], writable_start[], writable_end[], empty_start[],
    empty_end[], code_start[], code_end[], odd_start[], odd_end[];

__attribute__((section(".readable"))) const char readable[100] = "read only, with room behind";
__attribute__((section(".writable"))) char writable[100] = "writable, with room behind";
__attribute__((section(".odd"))) char odd[100] = "shares its page with another segment";

/* 1 if the kernel can write there: it reads random bytes into a byte of the page's end. */
static char is_writable(char* end) {
  char* const last = (char*)(((unsigned long)end + 4095) / 4096 * 4096 - 1);
  const char before = *last;
  const long result = call(318, (long)last, 1, 0);
  if (result == 1) *last = before;
  return result == 1 ? '1' : '0';
}

static void show(char* start, char* end) {
  call(1, 1, (long)start, end - start);
  char text[2] = {is_writable(end), '\n'};
  call(1, 1, (long)text, 2);
}

__attribute__((force_align_arg_pointer)) void _start(void) {
  show(readable_start, readable_end);
  show(writable_start, writable_end);
  show(empty_start, empty_end);
  show(code_start, code_end);
  show(odd_start, odd_end);
  call(231, 5, 0, 0);
}
