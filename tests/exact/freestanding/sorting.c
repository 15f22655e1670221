#include "start.h"

static int values[200];

static void sort(int* first, int* last) {
  if (first >= last) return;
  int pivot = *last;
  int* at = first;
  for (int* i = first; i < last; i++)
    if (*i < pivot) {
      int kept = *i;
      *i = *at;
      *at++ = kept;
    }
  *last = *at;
  *at = pivot;
  sort(first, at - 1);
  sort(at + 1, last);
}

static long work(void) {
  unsigned state = 12345;
  for (int i = 0; i < 200; i++) values[i] = (int)((state = state * 1103515245u + 12345u) >> 8);
  sort(values, values + 199);
  for (int i = 1; i < 200; i++)
    if (values[i - 1] > values[i]) return 1;
  return values[100];
}
