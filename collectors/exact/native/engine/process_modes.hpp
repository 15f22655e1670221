/// Calls by which the guest changes what its process may do, or what its memory is like: some would
/// hit the engine, which is part of the process.
#ifndef BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_PROCESS_MODES_HPP
#define BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_PROCESS_MODES_HPP

#include "collectors/exact/native/engine/engine.hpp"

namespace bops::native {

struct ModeCall {
  enum Course : std::uint8_t {
    kAsItIs,  ///< let it through
    kDone,    ///< it was carried out, with `result`
    kDetach   ///< the engine cannot go on behind it, for `reason`
  } course;
  std::int64_t result;
  const char* reason;
};

/// prctl, seccomp, personality, mlockall, setrlimit, prlimit64. Engine lock free.
ModeCall follow_mode_call(std::int64_t number, const Word arguments[6]);

}  // namespace bops::native

#endif
