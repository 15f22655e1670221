/* region_pages WORDS...: does what the words say, one after another, then prints "done".
 *
 *   begin NAME, end, work UNIT AMOUNT   of bops/region.h
 *   touch PAGES      touches that many fresh pages, each once
 *   touch-each PAGES as often as the number of the thread says: the first one is 1
 *   keep PAGES       maps so many pages, each for itself, and writes to them
 *   kept             fails unless they still have what was written
 *   threads N ... join   N threads do at once what stands between
 *   one-by-one N ... join  the same, one after another
 *   fork ... join    a child does what stands between and exits with 0
 *   exec             executes the program again, with the rest of the words
 *   close            closes every descriptor but the first three
 *   files N          opens so many files, which fails if one of them cannot be had
 *   check TEXT       reads what a pipe of its own has in it, after `pipe TEXT` put it there
 *   pipe TEXT        puts the reading end at each number from 3 to 4095 that is closed
 *   handler          SIGALRM, sent from then on every millisecond, names a region "handler"
 *   limit N          lowers the soft limit of descriptors
 *   mark FILE        makes that file
 *   wait FILE        until somebody has made that file
 *   kill             by SIGKILL
 *   crash            stores to address 0 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "argument.h"
#include "bops/region.h"

enum { kPage = 4096, kDescriptors = 4096, kMostKept = 64 };

struct script {
  char** words;
  unsigned long number; /* of the thread */
};

static char** run(char** words, unsigned long thread);
static char* program;
static int reading_end = -1;
static char* kept[kMostKept];
static unsigned long kept_pages;

static unsigned long number_of(const char* word) {
  char* end = NULL;
  const unsigned long number = word == NULL ? 0 : strtoul(word, &end, 10);
  if (word == NULL || end == word || *end != '\0') exit(2);
  return number;
}

static void touch(unsigned long pages) {
  if (pages == 0) return;
  char* memory =
      mmap(NULL, pages * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  require(memory != MAP_FAILED, "mmap");
  require(madvise(memory, pages * kPage, MADV_NOHUGEPAGE) == 0, "madvise");
  for (unsigned long i = 0; i < pages; ++i) ((volatile char*)memory)[i * kPage] = 1;
}

static void keep(unsigned long pages) {
  for (unsigned long i = 0; i < pages && kept_pages < kMostKept; ++i) {
    char* page = mmap(NULL, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    require(page != MAP_FAILED, "mmap");
    page[0] = 'd';
    kept[kept_pages++] = page;
  }
}

static void check_kept(void) {
  unsigned char mapped = 0;
  for (unsigned long i = 0; i < kept_pages; ++i)
    require(mincore(kept[i], kPage, &mapped) == 0 && kept[i][0] == 'd', "what was kept");
}

static void* run_thread(void* argument) {
  struct script* const script = argument;
  run(script->words, script->number);
  return NULL;
}

/* Behind the `join` that belongs to what stands before `words`. */
static char** behind_join(char** words) {
  for (int depth = 1; *words != NULL; ++words) {
    if (strcmp(*words, "threads") == 0 || strcmp(*words, "one-by-one") == 0 ||
        strcmp(*words, "fork") == 0)
      ++depth;
    if (strcmp(*words, "join") == 0 && --depth == 0) return words + 1;
  }
  exit(2);
}

static char** run_threads(char** words, int at_once) {
  const unsigned long count = number_of(*words++);
  pthread_t* threads = calloc(count, sizeof *threads);
  struct script* scripts = calloc(count, sizeof *scripts);
  require(threads != NULL && scripts != NULL, "calloc");
  for (unsigned long i = 0; i < count; ++i) {
    scripts[i] = (struct script){words, i + 1};
    require(pthread_create(&threads[i], NULL, run_thread, &scripts[i]) == 0, "pthread_create");
    if (!at_once) require(pthread_join(threads[i], NULL) == 0, "pthread_join");
  }
  for (unsigned long i = 0; at_once && i < count; ++i)
    require(pthread_join(threads[i], NULL) == 0, "pthread_join");
  free(threads);
  free(scripts);
  return behind_join(words);
}

static char** run_child(char** words, unsigned long thread) {
  const pid_t child = fork();
  require(child >= 0, "fork");
  if (child == 0) {
    run(words, thread);
    _exit(0);
  }
  int status = 0;
  require(waitpid(child, &status, 0) == child && status == 0, "the child");
  return behind_join(words);
}

static void make_pipe(const char* text) {
  int ends[2];
  require(
      pipe2(ends, O_NONBLOCK) == 0 && write(ends[1], text, strlen(text)) == (ssize_t)strlen(text),
      "pipe");
  reading_end = ends[0];
  for (int fd = 3; fd < kDescriptors; ++fd)
    if (fcntl(fd, F_GETFD) < 0 && dup2(ends[0], fd) < 0) break;
}

static void check_pipe(const char* text) {
  char found[256] = {0};
  require(read(reading_end, found, sizeof found - 1) == (ssize_t)strlen(text) &&
              strcmp(found, text) == 0,
          "what the pipe has in it");
}

static void on_alarm(int signal) {
  (void)signal;
  bops_region_begin("handler");
  bops_work("alarms", 1);
  bops_region_end();
}

static void start_alarms(void) {
  require(signal(SIGALRM, on_alarm) != SIG_ERR, "signal");
  const struct itimerval timer = {{0, 1000}, {0, 1000}};
  require(setitimer(ITIMER_REAL, &timer, NULL) == 0, "setitimer");
}

/* Those that were inherited would count, and are not known: they are closed. */
static void limit_descriptors(unsigned long count) {
  struct rlimit limit;
  require(close_range(3, ~0U, 0) == 0, "close_range");
  require(getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
  limit.rlim_cur = count;
  require(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
}

static void execute(char** words) {
  char* arguments[256] = {program};
  for (int i = 1; *words != NULL && i < 255; ++words) arguments[i++] = *words;
  execv("/proc/self/exe", arguments);
  require(0, "execv");
}

static char** run(char** words, unsigned long thread) {
  while (*words != NULL) {
    const char* word = *words++;
    if (strcmp(word, "join") == 0) {
      return words;
    } else if (strcmp(word, "begin") == 0) {
      bops_region_begin(*words++);
    } else if (strcmp(word, "end") == 0) {
      bops_region_end();
    } else if (strcmp(word, "work") == 0) {
      bops_work(words[0], number_of(words[1]));
      words += 2;
    } else if (strcmp(word, "touch") == 0) {
      touch(number_of(*words++));
    } else if (strcmp(word, "touch-each") == 0) {
      touch(thread * number_of(*words++));
    } else if (strcmp(word, "keep") == 0) {
      keep(number_of(*words++));
    } else if (strcmp(word, "kept") == 0) {
      check_kept();
    } else if (strcmp(word, "threads") == 0) {
      words = run_threads(words, 1);
    } else if (strcmp(word, "one-by-one") == 0) {
      words = run_threads(words, 0);
    } else if (strcmp(word, "fork") == 0) {
      words = run_child(words, thread);
    } else if (strcmp(word, "exec") == 0) {
      execute(words);
    } else if (strcmp(word, "close") == 0) {
      for (int fd = 3; fd < kDescriptors; ++fd) close(fd);
    } else if (strcmp(word, "files") == 0) {
      for (unsigned long left = number_of(*words++); left > 0; --left)
        require(open("/dev/null", O_RDONLY) >= 0, "open");
    } else if (strcmp(word, "pipe") == 0) {
      make_pipe(*words++);
    } else if (strcmp(word, "check") == 0) {
      check_pipe(*words++);
    } else if (strcmp(word, "handler") == 0) {
      start_alarms();
    } else if (strcmp(word, "limit") == 0) {
      limit_descriptors(number_of(*words++));
    } else if (strcmp(word, "wait") == 0) {
      while (access(*words, F_OK) != 0) usleep(2000);
      ++words;
    } else if (strcmp(word, "mark") == 0) {
      require(close(open(*words++, O_CREAT | O_WRONLY, 0600)) == 0, "open");
    } else if (strcmp(word, "kill") == 0) {
      kill(getpid(), SIGKILL);
    } else if (strcmp(word, "crash") == 0) {
      const struct rlimit no_core = {0, 0};
      setrlimit(RLIMIT_CORE, &no_core);
      *(volatile int*)0 = 1;
    } else {
      exit(2);
    }
  }
  return words;
}

int main(int argc, char** argv) {
  program = argv[0];
  run(argv + (argc > 0 ? 1 : 0), 1);
  puts("done");
  return 0;
}
