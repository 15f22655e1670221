/* show_user: prints its real and effective user. Tests make copies of it setuid. */
#include <stdio.h>
#include <unistd.h>

int main(void) {
  printf("%u %u\n", (unsigned)getuid(), (unsigned)geteuid());
  return 0;
}
