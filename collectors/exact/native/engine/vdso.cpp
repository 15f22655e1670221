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

void list(Word start, Word end) {
  add_executable({.start = start, .end = end, .path = "[vdso]"});
}

}  // namespace

Word move_vdso() {
  Part parts[kMaxParts] = {};
  const std::size_t count = find_parts(parts);
  if (count == 0) return 0;
  const Word size = parts[count - 1].end - parts[0].start;
  const Word start = propose_code_address(size);
  Word code = 0;
  bool moved = start != 0;
  for (std::size_t i = 0; i < count; ++i) {
    const Word to = parts[i].start - parts[0].start + start;
    // Kernels that seal them (6.16) refuse the first already.
    moved = moved && move(parts[i], to);
    if (!parts[i].is_code) continue;
    list(moved ? to : parts[i].start,
         (moved ? to : parts[i].start) + parts[i].end - parts[i].start);
    code = to;
  }
  return moved ? code : 0;
}

}  // namespace bops::native
