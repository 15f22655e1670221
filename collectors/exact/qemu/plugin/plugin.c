/* Entry points: installation, system calls, fork. */
#define _GNU_SOURCE
#include "collectors/exact/qemu/plugin/plugin.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

QEMU_PLUGIN_EXPORT int qemu_plugin_version = 1;

struct plugin plugin = {.mutex = PTHREAD_MUTEX_INITIALIZER};

/* The kernel names a process after its executable; under QEMU it would be named after QEMU. */
static void take_program_name(void) {
  const char* slash = strrchr(plugin.program, '/');
  prctl(PR_SET_NAME, slash ? slash + 1 : plugin.program);
}

void process_start(void) {
  const char* path = qemu_plugin_path_to_binary();
  if (!path || !realpath(path, plugin.program))
    snprintf(plugin.program, sizeof plugin.program, "%s", path ? path : "");
  take_program_name();
  plugin.process = profile_writer_start_process(&plugin.writer, getpid(), getppid(), plugin.program,
                                                strlen(plugin.program));
  plugin.first = plugin.alone = thread_attach();
}

static void before_fork(void) {
  pthread_mutex_lock(&plugin.mutex);
}

static void after_fork_in_parent(void) {
  pthread_mutex_unlock(&plugin.mutex);
}

/* The child shares the mapped file with its parent, and the blocks so far, but must not write on in
 * its parent's extent or counters. */
static void after_fork_in_child(void) {
  if (plugin.process) {
    plugin.process = profile_writer_start_process(&plugin.writer, getpid(), getppid(),
                                                  plugin.program, strlen(plugin.program));
    blocks_after_fork();
    threads_after_fork();
  }
  pthread_mutex_unlock(&plugin.mutex);
}

static void on_syscall(qemu_plugin_id_t id, unsigned vcpu, int64_t number, uint64_t a1, uint64_t a2,
                       uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7,
                       uint64_t a8) {
  (void)id, (void)a6, (void)a7, (void)a8;
  uint64_t action[2]; /* the kernel's struct sigaction: handler, flags, ... */
  switch (number) {
    case SYS_rt_sigaction:
      if (a2 != 0 && guest_read(a2, action, sizeof action))
        handler_registered(action[0], action[1]);
      break;
    case SYS_rt_sigreturn: note_sigreturn(vcpu); break;
    case SYS_execve: follow_exec(&(struct exec_request){AT_FDCWD, false, a1, a2, a3}); break;
    case SYS_execveat:
      if (!(a5 & AT_SYMLINK_NOFOLLOW))
        follow_exec(&(struct exec_request){(int)a1, (a5 & AT_EMPTY_PATH) != 0, a2, a3, a4});
      break;
    case SYS_clone:
      /* QEMU makes a fork of vfork. */
      if ((a1 & CLONE_VM) && !(a1 & CLONE_VFORK)) threads_become_several();
      break;
    case SYS_mmap:
      /* Shared memory is a reason for QEMU to flush, and then it does not for the first clone. */
      if (a4 & MAP_SHARED) threads_become_several();
      break;
    case SYS_shmat: threads_become_several(); break;
    case SYS_exit: thread_end(); break;
    case SYS_exit_group: threads_note_end(); break;
    default: break;
  }
}

static void on_syscall_return(qemu_plugin_id_t id, unsigned vcpu, int64_t number, int64_t result) {
  (void)id, (void)vcpu, (void)result;
  switch (number) {
    case SYS_mmap:
    case SYS_munmap:
    case SYS_mremap:
    case SYS_mprotect: mappings_changed(); break;
    case SYS_execve:
    case SYS_execveat: exec_returned(); break;
    default: break;
  }
}

static ssize_t write_message(void* cookie, const char* text, size_t size) {
  (void)cookie;
  static size_t left = 16384; /* a guest can make QEMU talk for ever */
  size_t kept = size < left ? size : left;
  if (kept > 0 && pthread_mutex_trylock(&plugin.mutex) == 0) {
    left -= kept;
    if (plugin.process) profile_writer_add_message(&plugin.writer, text, kept);
    pthread_mutex_unlock(&plugin.mutex);
  }
  return (ssize_t)size;
}

/* The guest writes to its descriptors; what QEMU itself says on stdio's stderr goes to the profile
 * and never into the guest's stream. */
static void divert_messages(void) {
  FILE* messages = fopencookie(NULL, "w", (cookie_io_functions_t){.write = write_message});
  if (!messages) return;
  setvbuf(messages, NULL, _IOLBF, 1024);
  stderr = messages;
}

QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t* info, int argc,
                                           char** argv) {
  (void)info;
  static const char profile_key[] = "profile=";
  static const char self_key[] = "self=";
  for (int i = 0; i < argc; i++) {
    if (strncmp(argv[i], profile_key, sizeof profile_key - 1) == 0)
      plugin.profile_path = strdup(argv[i] + sizeof profile_key - 1);
    if (strncmp(argv[i], self_key, sizeof self_key - 1) == 0)
      plugin.plugin_path = strdup(argv[i] + sizeof self_key - 1);
  }
  if (!plugin.profile_path || !plugin.plugin_path) {
    fprintf(stderr, "bops: the plugin needs profile=FILE,self=FILE\n");
    return 1;
  }
  ssize_t size = readlink("/proc/self/exe", plugin.qemu, sizeof plugin.qemu - 1);
  if (size > 0) plugin.qemu[size] = '\0';
  /* If the profile cannot be opened the program still runs, and bops finds no process in it. */
  if (!profile_writer_open(&plugin.writer, plugin.profile_path)) return 0;
  guest_start();
  divert_messages();
  pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
  qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
  qemu_plugin_register_vcpu_syscall_cb(id, on_syscall);
  qemu_plugin_register_vcpu_syscall_ret_cb(id, on_syscall_return);
  return 0;
}
