#include "collectors/exact/native/engine/vdso.hpp"

#include <asm/unistd.h>
#include <sys/mman.h>

#include "collectors/exact/native/engine/memory_map.hpp"
#include "collectors/exact/native/engine/process_maps.hpp"
#include "collectors/exact/native/engine/text.hpp"

namespace bops::native {
namespace {

struct Part {
  Word start, end;
  bool is_code;
};

/// [vvar], [vvar_vclock] (since Linux 6.13) and [vdso], which refers to them relative to itself.
constexpr std::size_t kMaxParts = 4;

std::size_t find_parts(Part (&parts)[kMaxParts]) {
  std::size_t count = 0;
  ProcessMaps maps;
  for (MemoryMapping mapping{}; maps.next(mapping);) {
    const bool is_code = is_same_text(mapping.path, "[vdso]");
    if (!is_code && !after_prefix(mapping.path, "[vvar")) continue;
    if (count == kMaxParts || (count > 0 && parts[count - 1].end != mapping.start)) return 0;
    parts[count++] = {mapping.start, mapping.end, is_code};
  }
  return count;
}

bool move(const Part& part, Word to) {
  const Word size = part.end - part.start;
  return kernel_call(__NR_mremap, part.start, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to) ==
         static_cast<std::int64_t>(to);
}

}  // namespace

Word move_vdso() {
  Part parts[kMaxParts] = {};
  const std::size_t count = find_parts(parts);
  if (count == 0) return 0;
  const Word old_start = parts[0].start;
  const Word new_start = propose_code_address(parts[count - 1].end - old_start);
  if (new_start == 0) return 0;
  Word code = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const Word to = parts[i].start - old_start + new_start;
    // Kernels that seal them (6.16) refuse the first already.
    if (!move(parts[i], to)) return 0;
    if (!parts[i].is_code) continue;
    code = to;
    add_executable({.start = to,
                    .end = to + (parts[i].end - parts[i].start),
                    .file_offset = 0,
                    .device = 0,
                    .inode = 0,
                    .mapping = BOPS_PROFILE_NONE,
                    .writable = false,
                    .dormant = false,
                    .path = "[vdso]"});
  }
  return code;
}

}  // namespace bops::native
