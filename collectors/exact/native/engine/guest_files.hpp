/// Names by which the guest asks for itself, and would find the engine.
#ifndef BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_GUEST_FILES_HPP
#define BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_GUEST_FILES_HPP

#include "collectors/exact/native/engine/engine.hpp"

namespace bops::native {

/// Whether `path` is a link in /proc to the program that this process executes.
bool is_own_program(const char* path);

/// open, openat, openat2, stat, lstat, newfstatat, statx, readlink, readlinkat, access, faccessat,
/// faccessat2 of /proc/self/exe, /proc/thread-self/exe, /proc/PID/exe with our own pid. True if the
/// call was one of these and was carried out, with the kernel's `result`; false: let it through as
/// it is.
bool guest_file_call(std::int64_t number, const Word arguments[6], std::int64_t& result);

}  // namespace bops::native

#endif
