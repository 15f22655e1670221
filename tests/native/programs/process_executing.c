/* execve in all its forms, those that fail too; nested scripts. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "transcript.h"

static char directory[] = "/tmp/bops-executing-XXXXXX";

static void say_words(int argc, char** argv) {
  for (int i = 0; i < argc; ++i) {
    /* The directory differs from run to run. */
    const char* name = strstr(argv[i], "bops-executing-");
    say("  word %d: %s%s", i, name ? "DIRECTORY" : "",
        name ? name + sizeof("bops-executing-XXXXXX") - 1 : argv[i]);
  }
}

static void write_script(const char* name, const char* text, mode_t mode) {
  const int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, mode);
  must(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), name);
  close(fd);
}

static void in_child(const char* what, void (*work)(void)) {
  const pid_t child = fork();
  if (child == 0) {
    work();
    say("  failed: %s", strerror(errno));
    _exit(50);
  }
  wait_and_say(what, child);
}

static char* const words[] = {"zero", "shown", "two", NULL};

static void by_descriptor(void) {
  const int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  fexecve(fd, words, environ);
}
static void by_directory(void) {
  const int fd = open(directory, O_PATH | O_DIRECTORY);
  syscall(SYS_execveat, fd, "program", words, environ, 0);
}
static void by_empty_path(void) {
  const int fd = open("program", O_PATH);
  syscall(SYS_execveat, fd, "", words, environ, AT_EMPTY_PATH);
}
static void by_relative_path(void) {
  execve("./program", words, environ);
}
static void by_link(void) {
  execve("link", words, environ);
}
static void no_follow(void) {
  syscall(SYS_execveat, AT_FDCWD, "link", words, environ, AT_SYMLINK_NOFOLLOW);
}
static void from_memory(void) {
  const int from = open("program", O_RDONLY), to = memfd_create("copy", MFD_CLOEXEC);
  char buffer[65536];
  for (ssize_t size; (size = read(from, buffer, sizeof(buffer))) > 0;)
    must(write(to, buffer, (size_t)size) == size, "write");
  fexecve(to, words, environ);
}
static void script(void) {
  execve("script", words, environ);
}
static void nested_script(void) {
  execve("nested", words, environ);
}
static void script_by_closing_descriptor(void) {
  const int fd = open("script", O_RDONLY | O_CLOEXEC);
  fexecve(fd, words, environ);
}
static void script_by_descriptor(void) {
  const int fd = open("script", O_RDONLY);
  fexecve(fd, words, environ);
}
static void no_words(void) {
  char* const none[] = {NULL};
  execve("program", none, environ);
}
static void no_environment(void) {
  execve("program", words, (char**)NULL);
}
static void missing(void) {
  execve("missing", words, environ);
}
static void not_executable(void) {
  execve("plain", words, environ);
}
static void foreign(void) {
  execve("foreign", words, environ);
}
static void a_directory(void) {
  execve(directory, words, environ);
}
static void script_of_missing(void) {
  execve("orphan", words, environ);
}
static void endless_script(void) {
  execve("endless", words, environ);
}
static void too_many_words(void) {
  static char* many[300000];
  for (int i = 0; i < 299999; ++i) many[i] = "0123456789012345678901234567890";
  execve("program", many, environ);
}
static void unreadable_path(void) {
  syscall(SYS_execve, 8L, words, environ);
}
static void unreadable_words(void) {
  syscall(SYS_execve, "program", 8L, environ);
}
static void large(void) {
  static char text[100001], *many[] = {"zero", "length", text, text, NULL};
  memset(text, 'x', 100000);
  execve("program", many, environ);
}
static void through_env(void) {
  execlp("env", "env", "-i", "A=1", "./program", "shown", (char*)NULL);
}

#define IN_CHILD(work) in_child(#work, work)

int main(int argc, char** argv) {
  if (argc == 4 && strcmp(argv[1], "length") == 0) {
    say("  lengths %zu %zu", strlen(argv[2]), strlen(argv[3]));
    return 0;
  }
  if (argc > 1 || argc == 0 || argv[0][0] == '\0') {
    say_words(argc, argv);
    return argc;
  }
  must(mkdtemp(directory) != NULL && chdir(directory) == 0, directory);
  char self[4096];
  const ssize_t size = readlink("/proc/self/exe", self, sizeof(self) - 1);
  self[size] = '\0';
  char copy[8300];
  snprintf(copy, sizeof(copy), "cp '%s' program", self);
  must(system(copy) == 0 && symlink("program", "link") == 0, "cp");
  snprintf(copy, sizeof(copy), "#!%s/program one argument \nnonsense\n", directory);
  write_script("script", copy, 0755);
  snprintf(copy, sizeof(copy), "#! %s/script   \n", directory);
  write_script("nested", copy, 0755);
  write_script("plain", "text\n", 0644);
  write_script("foreign", "neither script nor program\n", 0755);
  write_script("orphan", "#!/no/such/interpreter\n", 0755);
  snprintf(copy, sizeof(copy), "#!%s/endless\n", directory);
  write_script("endless", copy, 0755);

  IN_CHILD(by_descriptor);
  IN_CHILD(by_directory);
  IN_CHILD(by_empty_path);
  IN_CHILD(by_relative_path);
  IN_CHILD(by_link);
  IN_CHILD(no_follow);
  IN_CHILD(from_memory);
  IN_CHILD(script);
  IN_CHILD(nested_script);
  IN_CHILD(script_by_closing_descriptor);
  IN_CHILD(script_by_descriptor);
  IN_CHILD(no_words);
  IN_CHILD(no_environment);
  IN_CHILD(missing);
  IN_CHILD(not_executable);
  IN_CHILD(foreign);
  IN_CHILD(a_directory);
  IN_CHILD(script_of_missing);
  IN_CHILD(endless_script);
  IN_CHILD(too_many_words);
  IN_CHILD(unreadable_path);
  IN_CHILD(unreadable_words);
  IN_CHILD(large);
  IN_CHILD(through_env);
  snprintf(copy, sizeof(copy), "rm -r '%s'", directory);
  return system(copy);
}
