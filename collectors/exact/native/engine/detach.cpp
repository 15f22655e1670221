#include "collectors/exact/native/engine/detach.hpp"

#include "collectors/exact/native/engine/signals.hpp"

namespace bops::native {
namespace {

bool detached = false;

}  // namespace

bool is_detached() {
  return __atomic_load_n(&detached, __ATOMIC_ACQUIRE);
}

Word detach(Area* area, Word pc, const char* reason) {
  bool is_first = false;
  {
    const Guard guard(engine.lock);
    is_first = !is_detached();
    if (is_first)
      profile_writer_add_uncounted(&engine.writer, area->thread->pid, area->thread->parent,
                                   engine.paths.program, reason);
    __atomic_store_n(&detached, true, __ATOMIC_RELEASE);
  }
  hand_over_signals(area);
  return pc;
}

}  // namespace bops::native
