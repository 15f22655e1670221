/// What was translated: guest blocks, their code in the cache, and the ways out of it.
#ifndef BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_CODE_CACHE_HPP
#define BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_CODE_CACHE_HPP

#include "collectors/exact/native/engine/engine.hpp"

namespace bops::native {

/// Forgets all translations of guest code in [start, end). Threads that are inside one leave it at
/// its end. Engine lock held.
void invalidate(Word start, Word end);

/// Whether any translation has guest code in [start, end). Engine lock held.
bool has_translations(Word start, Word end);

}  // namespace bops::native

#endif
