/* Stops itself over and over, for a tracer that sends it signals at moments of its choice behind
 * each stop; prints what the handlers found. The argument says what it does after the stops. */
#include "transcript.h"

static volatile int handled, handled_before;
static volatile unsigned long mask_in_frame;

/* As the kernel has it; a frame holds no more of it. */
static unsigned long bits(const sigset_t* set) {
  unsigned long word = 0;
  memcpy(&word, set, sizeof(word));
  return word;
}

static void keep_mask(int number, siginfo_t* info, void* context) {
  (void)number, (void)info;
  ++handled;
  mask_in_frame = bits(&((ucontext_t*)context)->uc_sigmask);
}

static void look_who_came_first(int number, siginfo_t* info, void* context) {
  handled_before = handled;
  (void)number, (void)info, (void)context;
}

static void count(int number, siginfo_t* info, void* context) {
  (void)number, (void)info, (void)context;
  ++handled;
}

static void block_one_more(void) {
  const sigset_t own = set_of(SIGUSR2, 0), more = set_of(SIGALRM, 0);
  sigset_t now;
  must(sigprocmask(SIG_SETMASK, &own, NULL) == 0, "sigprocmask");
  kill(getpid(), SIGSTOP);
  must(sigprocmask(SIG_BLOCK, &more, NULL) == 0, "sigprocmask");
  const int so_far = handled;
  must(sigprocmask(SIG_BLOCK, NULL, &now) == 0, "sigprocmask");
  say("handled: %d, mask in the frame: %lx, now: %lx", so_far, mask_in_frame, bits(&now));
}

static void take_two(void) {
  kill(getpid(), SIGSTOP);
  say("handled: %d, before the first one's handler: %d", handled, handled_before);
}

int main(int argc, char** argv) {
  must(argc == 2, "an argument");
  handle(SIGSEGV, keep_mask, 0);
  handle(SIGUSR1, look_who_came_first, 0);
  handle(SIGBUS, count, 0);
  for (;;) {
    handled = handled_before = 0;
    mask_in_frame = 0;
    if (strcmp(argv[1], "mask") == 0)
      block_one_more();
    else
      take_two();
  }
}
