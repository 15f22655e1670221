#include "collectors/exact/native/engine/process_modes.hpp"

#include <asm/unistd.h>
#include <linux/prctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/resource.h>

#include <cerrno>

#include "collectors/exact/native/engine/process_maps.hpp"
#include "collectors/exact/native/engine/seccomp_filter.hpp"
#include "collectors/exact/native/engine/text.hpp"

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59 /* Linux 5.11 */
#endif

namespace bops::native {
namespace {

constexpr ModeCall kLetThrough = {ModeCall::kAsItIs, 0, nullptr};

ModeCall detached_for(const char* reason) {
  return {ModeCall::kDetach, 0, reason};
}

// ---- seccomp ----

/// Reasons live as long as the process.
char reason_text[160];
char exec_reason_text[160];

ModeCall install_filter(Word program) {
  sock_fprog given{};
  if (!read_guest(program, given) || given.len == 0 || given.len > BPF_MAXINSNS)
    return kLetThrough;  // the kernel refuses it
  const Guard guard(engine.lock);
  static sock_filter code[BPF_MAXINSNS];
  if (!copy_guest(code, given.filter, given.len * sizeof code[0])) return kLetThrough;
  const SeccompFilter filter = {code, given.len};
  if (!is_valid_filter(filter)) return kLetThrough;
  if (looks_at_code_address(filter))
    return detached_for("it installs a seccomp filter that looks at the addresses of its code");
  if (const char* const name = first_forbidden(filter, EngineNeed::kRunning)) {
    Text(reason_text, sizeof reason_text)
        << "it installs a seccomp filter that forbids " << name << ", which the engine needs";
    return detached_for(reason_text);
  }
  if (const char* const name = first_forbidden(filter, EngineNeed::kStarting)) {
    Text(exec_reason_text, sizeof exec_reason_text)
        << "it runs under a seccomp filter that forbids " << name
        << ", which the engine needs to start";
    engine.filter_forbids_start = exec_reason_text;
  }
  return kLetThrough;
}

ModeCall set_seccomp_mode(bool is_strict, Word program) {
  if (is_strict)
    return detached_for(
        "it enters the strict mode of seccomp, which forbids what the engine needs");
  return install_filter(program);
}

ModeCall follow_prctl(const Word arguments[6]) {
  const auto option = static_cast<std::int32_t>(arguments[0]);
  if (option == PR_SET_SYSCALL_USER_DISPATCH && arguments[1] != PR_SYS_DISPATCH_OFF)
    return detached_for("it takes system calls as signals (PR_SET_SYSCALL_USER_DISPATCH)");
  if (option != PR_SET_SECCOMP) return kLetThrough;
  if (arguments[1] != SECCOMP_MODE_STRICT && arguments[1] != SECCOMP_MODE_FILTER)
    return kLetThrough;
  return set_seccomp_mode(arguments[1] == SECCOMP_MODE_STRICT, arguments[2]);
}

ModeCall follow_seccomp(const Word arguments[6]) {
  const auto operation = static_cast<std::uint32_t>(arguments[0]);
  if (operation == SECCOMP_SET_MODE_STRICT && arguments[1] == 0 && arguments[2] == 0)
    return set_seccomp_mode(true, 0);
  if (operation == SECCOMP_SET_MODE_FILTER) return set_seccomp_mode(false, arguments[2]);
  return kLetThrough;
}

// ---- memory ----

/// The engine's tables are sparse and far larger than memory: only what the guest maps is locked,
/// and what is mapped later is locked once it is touched.
ModeCall lock_memory(Word flags) {
  constexpr Word kKnown = MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT;
  constexpr Word kUserEnd = Word{1} << 47;
  if (flags == 0 || flags == MCL_ONFAULT || (flags & ~kKnown) != 0) return kLetThrough;
  if ((flags & MCL_FUTURE) != 0) {
    const auto result = kernel_call(__NR_mlockall, MCL_FUTURE | MCL_ONFAULT);
    if (failed(result)) return {ModeCall::kDone, result, nullptr};
  }
  if ((flags & MCL_CURRENT) == 0) return {ModeCall::kDone, 0, nullptr};
  ProcessMaps maps;
  if (!maps.is_readable()) return {ModeCall::kDone, -ENOMEM, nullptr};
  for (MemoryMapping mapping{}; maps.next(mapping);) {
    if (mapping.start >= kUserEnd || is_engine_memory(mapping.start, mapping.end)) continue;
    const Word size = mapping.end - mapping.start;
    const auto result = kernel_call(__NR_mlock2, mapping.start, size, MLOCK_ONFAULT);
    if (failed(result) && result != -ENOMEM) return {ModeCall::kDone, result, nullptr};
    // As mlockall does, nothing is said of pages that cannot be had.
    if ((flags & MCL_ONFAULT) == 0) kernel_call(__NR_mlock, mapping.start, size);
  }
  return {ModeCall::kDone, 0, nullptr};
}

ModeCall change_personality(Word persona) {
  const auto wanted = static_cast<std::uint32_t>(persona);
  if (wanted == 0xffffffff || (wanted & READ_IMPLIES_EXEC) == 0) return kLetThrough;
  return detached_for("it makes all readable memory executable (READ_IMPLIES_EXEC)");
}

/// The engine's tables are in the address space, too: with a limit the guest would get less than it
/// has a right to.
ModeCall limit_memory(Word resource, Word address) {
  constexpr Word kEnough = Word{1} << 40;
  struct {
    Word now, most;
  } limit{};
  const auto kind = static_cast<std::uint32_t>(resource);
  if ((kind != RLIMIT_AS && kind != RLIMIT_DATA) || address == 0 || !read_guest(address, limit) ||
      limit.now >= kEnough)
    return kLetThrough;
  return detached_for("it limits its memory, of which the engine's tables would take their part");
}

}  // namespace

ModeCall follow_mode_call(std::int64_t number, const Word arguments[6]) {
  switch (number) {
    case __NR_prctl: return follow_prctl(arguments);
    case __NR_seccomp: return follow_seccomp(arguments);
    case __NR_mlockall: return lock_memory(arguments[0]);
    case __NR_personality: return change_personality(arguments[0]);
    case __NR_setrlimit: return limit_memory(arguments[0], arguments[1]);
    case __NR_prlimit64: {
      const auto pid = static_cast<std::int32_t>(arguments[0]);
      const bool is_own = pid == 0 || pid == kernel_call(__NR_getpid);
      return is_own ? limit_memory(arguments[1], arguments[2]) : kLetThrough;
    }
    default: return kLetThrough;
  }
}

}  // namespace bops::native
