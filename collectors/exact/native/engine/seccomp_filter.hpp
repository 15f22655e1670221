/// What a seccomp filter that the guest installs would do to the engine, whose system calls the
/// kernel takes for the guest's.
#ifndef BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_SECCOMP_FILTER_HPP
#define BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_SECCOMP_FILTER_HPP

#include <linux/filter.h>
#include <linux/seccomp.h>

#include "collectors/exact/native/engine/system_call.hpp"

namespace bops::native {

/// A filter as the guest hands it over (struct sock_fprog).
struct SeccompFilter {
  const sock_filter* code;
  unsigned length;
};

/// False if the kernel would refuse the filter: an instruction that it does not know, a jump or a
/// return that is missing.
bool is_valid_filter(const SeccompFilter& filter);

/// What a valid filter returns for a call: SECCOMP_RET_... with data.
std::uint32_t run_filter(const SeccompFilter& filter, const seccomp_data& call);

/// Whether the answer may depend on where the call was made: code lies elsewhere in the engine.
bool looks_at_code_address(const SeccompFilter& filter);

enum class EngineNeed : std::uint8_t {
  kRunning,  ///< to go on counting this process and its forks
  kStarting  ///< besides, to count programs that it executes
};

/// The name of the first system call that the engine makes and the filter does not just allow; null
/// if there is none.
const char* first_forbidden(const SeccompFilter& filter, EngineNeed need);

}  // namespace bops::native

#endif
