/// What belongs to one thread of the guest.
#ifndef BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_AREA_HPP
#define BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_AREA_HPP

#include <cstddef>
#include <cstdint>

#include "collectors/exact/native/engine/layout.h"
#include "collectors/exact/native/engine/system_call.hpp"

extern "C" {
#include "collectors/exact/block_profile.h"
}

namespace bops::native {

enum Register : std::uint8_t {
  kRax,
  kRcx,
  kRdx,
  kRbx,
  kRsp,
  kRbp,
  kRsi,
  kRdi,
  kR8,
  kR9,
  kR10,
  kR11,
  kR12,
  kR13,
  kR14,
  kR15,
  kFlags,
  kRegisterCount
};

struct Thread;

/// The slots at GS + GS_SLOTS; layout.h names their offsets for the assembler and emitted code.
struct Area {
  Area* self;
  Word enter;
  Word saved_rcx;
  Word target;
  Word cache_target;
  Word spill;
  Word far_spill;
  std::uint32_t exit;
  std::uint32_t unmask;
  Word stack;
  Word resume;
  Word mask;
  std::uint32_t attention;
  std::uint32_t padding;
  Word reserved[4];
  Word registers[kRegisterCount];
  Thread* thread;
  Area* next;             ///< of the thread's areas, or of the free ones
  std::uint32_t windows;  ///< how many counter windows are mapped
  std::uint32_t context;  ///< index of the THREAD or REGION record that the counters belong to
};

static_assert(offsetof(Area, enter) == GS_ENTER - GS_SLOTS);
static_assert(offsetof(Area, saved_rcx) == GS_SAVED_RCX - GS_SLOTS);
static_assert(offsetof(Area, target) == GS_TARGET - GS_SLOTS);
static_assert(offsetof(Area, cache_target) == GS_CACHE_TARGET - GS_SLOTS);
static_assert(offsetof(Area, spill) == GS_SPILL - GS_SLOTS);
static_assert(offsetof(Area, far_spill) == GS_FAR_SPILL - GS_SLOTS);
static_assert(offsetof(Area, exit) == GS_EXIT - GS_SLOTS);
static_assert(offsetof(Area, unmask) == GS_UNMASK - GS_SLOTS);
static_assert(offsetof(Area, stack) == GS_STACK - GS_SLOTS);
static_assert(offsetof(Area, resume) == GS_RESUME - GS_SLOTS);
static_assert(offsetof(Area, mask) == GS_MASK - GS_SLOTS);
static_assert(offsetof(Area, attention) == GS_ATTENTION - GS_SLOTS);
static_assert(offsetof(Area, registers) == GS_REGISTERS - GS_SLOTS);

/// The value of GS that addresses `area`.
inline Word gs_of(const Area* area) {
  return reinterpret_cast<Word>(area) - static_cast<Word>(std::int64_t{GS_SLOTS});
}

/// What emitted code addresses as gs:[offset].
inline void* at_gs(const Area* area, std::int64_t offset) {
  return reinterpret_cast<void*>(gs_of(area) + static_cast<Word>(offset));
}

}  // namespace bops::native

#endif
