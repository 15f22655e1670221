/* Which file a block's code comes from: /proc/self/maps, read again after the guest has changed its
 * mappings. QEMU maps the guest's files as they are, at guest address + guest_base. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "collectors/exact/qemu/plugin/plugin.h"

struct mapping {
  uint64_t start, end, file_offset, device, inode;
  uint32_t index; /* in the profile; BOPS_PROFILE_NONE until a block needs it */
  char* path;
};

static struct mapping* mappings;
static size_t mapping_count, mapping_capacity;
static bool valid;

void mappings_changed(void) {
  __atomic_store_n(&valid, false, __ATOMIC_RELAXED);
}

/* The whole of /proc/self/maps, NUL-terminated; null if it cannot be read. */
static char* read_maps(void) {
  int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return NULL;
  size_t size = 0, capacity = 1 << 16;
  char* text = malloc(capacity);
  while (text) {
    ssize_t n = read(fd, text + size, capacity - size - 1);
    if (n <= 0) break;
    size += (size_t)n;
    if (size + 1 < capacity) continue;
    capacity *= 2;
    char* larger = realloc(text, capacity);
    if (!larger) break;
    text = larger;
  }
  close(fd);
  if (text) text[size] = '\0';
  return text;
}

static bool same(const struct mapping* a, const struct mapping* b) {
  return a->start == b->start && a->end == b->end && a->file_offset == b->file_offset &&
         a->device == b->device && a->inode == b->inode && strcmp(a->path, b->path) == 0;
}

static void read_all(void) {
  struct mapping* old = mappings;
  size_t old_count = mapping_count;
  mappings = NULL;
  mapping_count = mapping_capacity = 0;
  __atomic_store_n(&valid, true, __ATOMIC_RELAXED);
  char* text = read_maps();
  uint64_t base = guest_base_address();
  char* rest = text;
  for (char* line; rest && (line = strsep(&rest, "\n")) && *line;) {
    struct mapping m = {.index = BOPS_PROFILE_NONE};
    unsigned major_number, minor_number;
    int path_at = 0;
    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64 " %x:%x %" SCNu64 " %n", &m.start,
               &m.end, &m.file_offset, &major_number, &minor_number, &m.inode, &path_at) < 6)
      continue;
    if (m.start < base) continue;
    m.start -= base;
    m.end -= base;
    m.device = makedev(major_number, minor_number);
    if (mapping_count == mapping_capacity) {
      size_t larger = mapping_capacity ? 2 * mapping_capacity : 64;
      struct mapping* more = realloc(mappings, larger * sizeof *more);
      if (!more) break;
      mappings = more;
      mapping_capacity = larger;
    }
    m.path = strdup(line + path_at);
    if (!m.path) break;
    for (size_t i = 0; i < old_count; i++)
      if (old[i].index != BOPS_PROFILE_NONE && same(&old[i], &m)) m.index = old[i].index;
    mappings[mapping_count++] = m;
  }
  free(text);
  for (size_t i = 0; i < old_count; i++) free(old[i].path);
  free(old);
}

uint32_t mapping_of(uint64_t address) {
  if (!__atomic_load_n(&valid, __ATOMIC_RELAXED)) read_all();
  for (size_t i = 0; i < mapping_count; i++) {
    struct mapping* m = &mappings[i];
    if (address < m->start || address >= m->end) continue;
    if (m->index == BOPS_PROFILE_NONE) {
      struct bops_profile_mapping* record = profile_writer_add_mapping(
          &plugin.writer, m->start, m->end, m->file_offset, m->device, m->inode, m->path);
      if (record) m->index = record->index;
    }
    return m->index;
  }
  return BOPS_PROFILE_NONE;
}
