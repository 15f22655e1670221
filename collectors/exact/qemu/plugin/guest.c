/* The guest's memory and registers. Plugin API 1 gives no registers; QEMU's own functions for its
 * gdb stub do, and are exported by its executable. Where they are missing, what needs them is left
 * out: the block of a caught fault then counts in full. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "collectors/exact/qemu/plugin/plugin.h"

struct byte_array { /* GLib's GByteArray, glib/garray.h */
  uint8_t* data;
  unsigned size;
};

static struct byte_array* (*new_byte_array)(void);
static uint8_t* (*free_byte_array)(struct byte_array* array, int free_segment);
static int (*read_register)(void* cpu, struct byte_array* to, int number);
static void* (*cpu_at)(int index);
static uint64_t base;

/* dlsym returns an object pointer; POSIX guarantees that it holds a function's address. */
static void find_function(void* function, const char* name) {
  void* address = dlsym(RTLD_DEFAULT, name);
  memcpy(function, &address, sizeof address);
}

void guest_start(void) {
  find_function(&new_byte_array, "g_byte_array_new");
  find_function(&free_byte_array, "g_byte_array_free");
  find_function(&read_register, "x86_cpu_gdb_read_register");
  find_function(&cpu_at, "qemu_get_cpu");
}

/* guest_base is set after the plugin is installed, while the first program is loaded. */
uint64_t guest_base_address(void) {
  static const uint64_t* variable;
  if (!variable) {
    variable = dlsym(RTLD_DEFAULT, "guest_base");
    if (!variable) variable = &base;
  }
  return *variable;
}

bool guest_register(unsigned vcpu, enum guest_register which, uint64_t* value) {
  if (!new_byte_array || !free_byte_array || !read_register || !cpu_at) return false;
  void* cpu = cpu_at((int)vcpu);
  if (!cpu) return false;
  struct byte_array* array = new_byte_array();
  bool found = read_register(cpu, array, (int)which) == (int)sizeof *value;
  if (found) memcpy(value, array->data, sizeof *value);
  free_byte_array(array, 1);
  return found;
}

bool guest_read(uint64_t address, void* to, size_t size) {
  struct iovec local = {to, size};
  struct iovec remote = {(void*)(address + guest_base_address()), size};
  return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == (ssize_t)size;
}

bool guest_read_string(uint64_t address, char* to, size_t size) {
  size_t done = 0;
  while (done < size) {
    /* Never across a page boundary: the string may end before an unmapped page. */
    size_t piece = 4096 - ((address + done) & 4095);
    if (piece > size - done) piece = size - done;
    if (!guest_read(address + done, to + done, piece)) return false;
    if (memchr(to + done, '\0', piece)) return true;
    done += piece;
  }
  return false;
}
