/* Strings: copied, compared and searched by loops and by string instructions of every length. */
#include "../../exact/freestanding/start.h"

static char a[300], b[300];

static void copy(char* to, const char* from, unsigned long size) {
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
}
static void fill(char* to, char byte, unsigned long words) {
  __asm__ volatile("rep stosq"
                   : "+D"(to), "+c"(words)
                   : "a"(byte * 0x0101010101010101L)
                   : "memory");
}
static unsigned long find(const char* in, char byte, unsigned long size) {
  unsigned long left = size;
  __asm__ volatile("repne scasb" : "+D"(in), "+c"(left) : "a"(byte) : "memory", "cc");
  return size - left;
}
static unsigned long length(const char* text) {
  const char* at = text;
  while (*at) at++;
  return (unsigned long)(at - text);
}
static int compare(const char* x, const char* y) {
  while (*x && *x == *y) x++, y++;
  return *x - *y;
}

static long work(void) {
  long sum = 0;
  for (unsigned long size = 0; size < 12; size++) {
    fill(a, (char)('a' + size), size);
    a[8 * size] = 0;
    copy(b, a, 8 * size + 1);
    sum += (long)length(b) + compare(a, b);
    b[size] = 'x';
    sum += (long)find(b, 'x', sizeof(b)) + compare(a, b);
    copy(a + 3, a, 0); /* a repeat of none is one instruction, too */
  }
  return sum;
}
