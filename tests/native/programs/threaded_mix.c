/* threaded_mix [ROUNDS]: threads that compute, allocate, send signals to each other, take timer
 * signals and fork, all at once; prints a checksum that no schedule changes. 0 rounds: for ever. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/time.h>

#include "transcript.h"

enum { kThreads = 4 };

static pthread_t threads[kThreads];
static pthread_barrier_t all_there, all_done;
static unsigned long rounds, total;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static __thread volatile unsigned long handled;

static void on_signal(int number, siginfo_t* info, void* context) {
  (void)number, (void)info, (void)context;
  handled = handled + 1;
}

__attribute__((noinline)) static unsigned long compute(unsigned long seed) {
  unsigned long numbers[64], sum = 0;
  for (int i = 0; i < 64; ++i)
    numbers[i] = seed = seed * 6364136223846793005UL + 1442695040888963407UL;
  double share = 0;
  for (int i = 0; i < 64; ++i) {
    sum += numbers[i] >> (numbers[(i + 1) % 64] & 31);
    share += (double)(numbers[i] >> 40) * 0.5;
  }
  return sum ^ (unsigned long)share;
}

static void* run(void* argument) {
  const unsigned long number = (unsigned long)argument;
  unsigned long sum = number;
  pthread_barrier_wait(&all_there);
  for (unsigned long i = 0; i < rounds || rounds == 0; ++i) {
    sum = sum * 31 + compute(sum + i);
    if (i % 8 == number) pthread_kill(threads[(number + 1) % kThreads], SIGUSR1);
    if (i % 16 == 0) {
      char* text = malloc(100 + sum % 1000);
      memset(text, (int)sum, 100);
      sum += (unsigned char)text[99];
      free(text);
    }
    if (i % 256 == 64 * number) {
      const pid_t child = fork();
      if (child == 0) _exit((int)(compute(i) & 63));
      int status = 0;
      while (waitpid(child, &status, 0) < 0) continue;
      sum += (unsigned long)WEXITSTATUS(status);
    }
  }
  pthread_mutex_lock(&mutex);
  total += sum;
  pthread_mutex_unlock(&mutex);
  pthread_barrier_wait(&all_done);
  return NULL;
}

int main(int argc, char** argv) {
  rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 1024;
  handle(SIGUSR1, on_signal, SA_RESTART);
  handle(SIGALRM, on_signal, SA_RESTART);
  pthread_barrier_init(&all_there, NULL, kThreads + 1);
  pthread_barrier_init(&all_done, NULL, kThreads);
  for (unsigned long i = 0; i < kThreads; ++i)
    must(pthread_create(&threads[i], NULL, run, (void*)i) == 0, "pthread_create");
  const struct itimerval fast = {{0, 500}, {0, 500}}, never = {{0, 0}, {0, 0}};
  must(setitimer(ITIMER_REAL, &fast, NULL) == 0, "setitimer");
  pthread_barrier_wait(&all_there);
  for (int i = 0; i < kThreads; ++i) pthread_join(threads[i], NULL);
  must(setitimer(ITIMER_REAL, &never, NULL) == 0, "setitimer");
  say("%#lx", total);
  return 0;
}
