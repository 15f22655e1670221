/* Follows the guest through execve: QEMU would let the new program run natively, uncounted. The
 * plugin executes QEMU itself instead, with the new program as its guest. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collectors/exact/program_file.h"
#include "collectors/exact/qemu/plugin/plugin.h"

enum { ENGINE_WORDS = 8 /* words in front of the guest's own: see engine_words() */ };

/* Length of the guest's null-terminated vector of pointers at `address`; -1 if it is unreadable. */
static ssize_t vector_length(uint64_t address) {
  if (address == 0) return 0;
  for (ssize_t n = 0;; n++) {
    uint64_t pointer;
    if (!guest_read(address + (uint64_t)n * 8, &pointer, sizeof pointer)) return -1;
    if (pointer == 0) return n;
  }
}

/* The guest's strings stay where they are: execve itself reads them, and says EFAULT. */
static char* vector_at(uint64_t address, ssize_t i) {
  uint64_t pointer = 0;
  guest_read(address + (uint64_t)i * 8, &pointer, sizeof pointer);
  return (char*)(pointer + guest_base_address());
}

/* The dynamic loader's variables are the guest's: the emulator must not load the guest's libraries.
 * QEMU sets what -E names for the guest alone, but splits it at commas. */
static bool is_loader_variable(uint64_t environment, ssize_t i) {
  uint64_t pointer = 0;
  char text[32768];
  guest_read(environment + (uint64_t)i * 8, &pointer, sizeof pointer);
  return guest_read_string(pointer, text, sizeof text) && strncmp(text, "LD_", 3) == 0 &&
         !strchr(text, ',');
}

/* The absolute path that the guest asks for, as a file name on the host. */
static bool requested_path(const struct exec_request* request, char path[PATH_MAX]) {
  char given[PATH_MAX];
  char joined[PATH_MAX + 64];
  if (!guest_read_string(request->path, given, sizeof given)) return false;
  char own[64];
  snprintf(own, sizeof own, "/proc/%d/exe", (int)getpid());
  if (strcmp(given, "/proc/self/exe") == 0 || strcmp(given, own) == 0 ||
      strcmp(given, "/proc/thread-self/exe") == 0) {
    strcpy(path, plugin.program);
    return true;
  }
  if (given[0] == '\0' && !request->empty_path_allowed) return false;
  if (given[0] == '/' || request->directory == AT_FDCWD)
    snprintf(joined, sizeof joined, "%s", given);
  else
    snprintf(joined, sizeof joined, "/proc/self/fd/%d%s%s", request->directory, given[0] ? "/" : "",
             given);
  /* Without `..` and links the path stays valid when a close-on-exec descriptor goes. */
  if (request->directory != AT_FDCWD) return realpath(joined, path) != NULL;
  strcpy(path, joined);
  return true;
}

static void let_through(const char* path, const char* reason) {
  struct thread* thread = here.thread;
  pthread_mutex_lock(&plugin.mutex);
  struct bops_profile_uncounted* record =
      profile_writer_add_uncounted(&plugin.writer, getpid(), getppid(), path, reason);
  pthread_mutex_unlock(&plugin.mutex);
  if (thread) thread->exec_record = record;
}

void exec_returned(void) {
  struct thread* thread = here.thread;
  if (!thread || !thread->exec_record) return;
  __atomic_store_n(&thread->exec_record->cancelled, 1, __ATOMIC_RELEASE);
  thread->exec_record = NULL;
}

/* "qemu -cpu max -plugin P -0 argv[0] [-E LD_...]... program"; returns the number of words. */
static size_t engine_words(char** words, char* plugin_option, char* argv0, char* program,
                           const struct exec_request* request, ssize_t variables) {
  size_t n = 0;
  words[n++] = plugin.qemu;
  words[n++] = "-cpu";
  words[n++] = "max";
  words[n++] = "-plugin";
  words[n++] = plugin_option;
  words[n++] = "-0";
  words[n++] = argv0;
  for (ssize_t i = 0; i < variables; i++) {
    if (!is_loader_variable(request->environment, i)) continue;
    words[n++] = "-E";
    words[n++] = vector_at(request->environment, i);
  }
  words[n++] = program;
  return n;
}

static void execute(const struct exec_request* request, struct program_file* program) {
  ssize_t arguments = vector_length(request->arguments);
  ssize_t variables = vector_length(request->environment);
  if (arguments < 0 || variables < 0) return;
  size_t capacity =
      (size_t)arguments + 2 * (size_t)variables + ENGINE_WORDS + (size_t)program->prefix_count + 1;
  char** words = calloc(capacity, sizeof *words);
  char** environment = calloc((size_t)variables + 1, sizeof *environment);
  char* option = malloc(3 * PATH_MAX + 32);
  if (words && environment && option) {
    snprintf(option, 3 * PATH_MAX + 32, "%s,profile=%s,self=%s", plugin.plugin_path,
             plugin.profile_path, plugin.plugin_path);
    char* argv0 = program->prefix_count > 0 ? program->prefix[0]
                  : arguments > 0           ? vector_at(request->arguments, 0)
                                            : "";
    size_t n = engine_words(words, option, argv0, program->path, request, variables);
    for (int i = 1; i < program->prefix_count; i++) words[n++] = program->prefix[i];
    for (ssize_t i = 1; i < arguments; i++) words[n++] = vector_at(request->arguments, i);
    size_t e = 0;
    for (ssize_t i = 0; i < variables; i++)
      if (!is_loader_variable(request->environment, i))
        environment[e++] = vector_at(request->environment, i);
    execve(plugin.qemu, words, environment); /* returns only if it fails; QEMU then tries too */
  }
  free(words);
  free(environment);
  free(option);
}

static bool engine_is_reachable(void) {
  return faccessat(AT_FDCWD, plugin.qemu, X_OK, AT_EACCESS) == 0 &&
         faccessat(AT_FDCWD, plugin.plugin_path, R_OK, AT_EACCESS) == 0 &&
         faccessat(AT_FDCWD, plugin.profile_path, R_OK | W_OK, AT_EACCESS) == 0;
}

void follow_exec(const struct exec_request* request) {
  char path[PATH_MAX];
  static _Thread_local struct program_file* program;
  if (!plugin.writer.header || !requested_path(request, path)) return;
  if (!program && !(program = malloc(sizeof *program))) return;
  program_file_resolve(program, path);
  switch (program->kind) {
    case PROGRAM_INVALID: return; /* QEMU's own execve tells the guest what is wrong */
    case PROGRAM_UNKNOWN:
    case PROGRAM_UNCOUNTABLE: let_through(path, program->reason); return;
    case PROGRAM_COUNTABLE: break;
  }
  if (engine_is_reachable()) execute(request, program);
  let_through(path,
              "the emulator or the profile cannot be reached from where it runs (another "
              "root directory or another user), or execve refused them");
}
