#include "collectors/exact/native/engine/seccomp_filter.hpp"

#include <asm/unistd.h>
#include <linux/audit.h>

#include <cstddef>

namespace bops::native {
namespace {

constexpr unsigned kMostInstructions = BPF_MAXINSNS;
constexpr std::uint32_t kAny = 0x1000;  // an argument that filters have no reason to look at

/// A call as the engine makes it. Arguments that are addresses are any.
struct EngineCall {
  const char* name;
  std::uint32_t number;
  std::uint32_t arguments[4];
};

// PROT_ and MAP_ values: 1 read, 2 write, 4 execute; 1 shared, 2 private, 0x10 fixed, 0x20
// anonymous, 0x4000 without reserve, 0x100000 fixed without replacing.
constexpr EngineCall kRunningCalls[] = {
    {"mmap", __NR_mmap, {0, kAny, 3, 0x4022}},     // tables
    {"mmap", __NR_mmap, {0, kAny, 0, 0x4022}},     // a thread's area
    {"mmap", __NR_mmap, {kAny, kAny, 3, 0x32}},    // in it
    {"mmap", __NR_mmap, {kAny, kAny, 3, 0x4031}},  // the target table of a fork
    {"munmap", __NR_munmap, {kAny, kAny}},
    {"mremap", __NR_mremap, {kAny, 0, kAny, 3}},
    {"mprotect", __NR_mprotect, {kAny, kAny, 5}},  // code that the guest may write
    {"mprotect", __NR_mprotect, {kAny, kAny, 7}},
    {"madvise", __NR_madvise, {kAny, kAny, 23}},  // MADV_POPULATE_WRITE
    {"mincore", __NR_mincore, {kAny, kAny, kAny}},
    {"futex", __NR_futex, {kAny, 128, kAny, 0}},
    {"futex", __NR_futex, {kAny, 129, 1, 0}},
    {"rt_sigaction", __NR_rt_sigaction, {11, kAny, kAny, 8}},
    {"rt_sigprocmask", __NR_rt_sigprocmask, {2, kAny, kAny, 8}},
    {"sigaltstack", __NR_sigaltstack, {kAny, 0}},
    {"rt_sigreturn", __NR_rt_sigreturn, {}},
    {"rt_tgsigqueueinfo", __NR_rt_tgsigqueueinfo, {kAny, kAny, 4, kAny}},
    {"gettid", __NR_gettid, {}},
    {"getpid", __NR_getpid, {}},
    {"getppid", __NR_getppid, {}},
    {"arch_prctl", __NR_arch_prctl, {0x1001, kAny}},   // ARCH_SET_GS
    {"arch_prctl", __NR_arch_prctl, {0x1003, kAny}},   // ARCH_GET_FS
    {"clock_gettime", __NR_clock_gettime, {1, kAny}},  // CLOCK_MONOTONIC
    {"prctl", __NR_prctl, {16, kAny}},                 // PR_GET_NAME
    {"sysinfo", __NR_sysinfo, {kAny}},
    {"open", __NR_open, {kAny, 0x80000}},  // /proc/self/maps, O_CLOEXEC
    {"read", __NR_read, {20, kAny, kAny}},
    {"close", __NR_close, {20}},
    {"readlink", __NR_readlink, {kAny, kAny, kAny}},
    {"fstat", __NR_fstat, {20, kAny}},
    {"stat", __NR_stat, {kAny, kAny}},
    {"pread64", __NR_pread64, {20, kAny, 4, 0}},
    {"prlimit64", __NR_prlimit64, {0, 9, 0, kAny}},
    {"exit", __NR_exit, {0}},
    {"exit_group", __NR_exit_group, {0}},
};

constexpr EngineCall kStartingCalls[] = {
    {"execve", __NR_execve, {kAny, kAny, kAny}},
    {"newfstatat", __NR_newfstatat, {kAny, kAny, kAny, 0x100}},
    {"fcntl", __NR_fcntl, {20, 1}},  // F_GETFD
    {"faccessat2", __NR_faccessat2, {kAny, kAny, 1, 0x200}},
    {"access", __NR_access, {kAny, 0}},
    {"geteuid", __NR_geteuid, {}},
    {"getegid", __NR_getegid, {}},
    {"getxattr", __NR_getxattr, {kAny, kAny, 0, 0}},
    {"open", __NR_open, {kAny, 0xa0002}},            // the profile
    {"mmap", __NR_mmap, {0, kAny, 3, 0x4001}},       // the profile
    {"mmap", __NR_mmap, {kAny, kAny, 7, 0x104022}},  // the cache
    {"mmap", __NR_mmap, {kAny, kAny, 5, 0x12}},      // the program
    {"mprotect", __NR_mprotect, {kAny, kAny, 1}},
    {"brk", __NR_brk, {0}},
    {"personality", __NR_personality, {0xffffffff}},
    {"prctl", __NR_prctl, {15, kAny}},  // PR_SET_NAME
    {"prctl", __NR_prctl, {35, 14}},    // PR_SET_MM, PR_SET_MM_MAP
};

bool is_known(const sock_filter& instruction) {
  switch (instruction.code) {
    case BPF_LD | BPF_W | BPF_ABS:
      return instruction.k % 4 == 0 && instruction.k < sizeof(seccomp_data);
    case BPF_LD | BPF_MEM:
    case BPF_LDX | BPF_MEM:
    case BPF_ST:
    case BPF_STX: return instruction.k < BPF_MEMWORDS;
    case BPF_ALU | BPF_DIV | BPF_K: return instruction.k != 0;
    case BPF_LD | BPF_W | BPF_LEN:
    case BPF_LDX | BPF_W | BPF_LEN:
    case BPF_LD | BPF_IMM:
    case BPF_LDX | BPF_IMM:
    case BPF_MISC | BPF_TAX:
    case BPF_MISC | BPF_TXA:
    case BPF_RET | BPF_K:
    case BPF_RET | BPF_A:
    // NOLINTNEXTLINE(misc-redundant-expression): the names of what is 0 tell the instruction
    case BPF_ALU | BPF_ADD | BPF_K:
    case BPF_ALU | BPF_ADD | BPF_X:
    case BPF_ALU | BPF_SUB | BPF_K:
    case BPF_ALU | BPF_SUB | BPF_X:
    case BPF_ALU | BPF_MUL | BPF_K:
    case BPF_ALU | BPF_MUL | BPF_X:
    case BPF_ALU | BPF_DIV | BPF_X:
    case BPF_ALU | BPF_AND | BPF_K:
    case BPF_ALU | BPF_AND | BPF_X:
    case BPF_ALU | BPF_OR | BPF_K:
    case BPF_ALU | BPF_OR | BPF_X:
    case BPF_ALU | BPF_XOR | BPF_K:
    case BPF_ALU | BPF_XOR | BPF_X:
    case BPF_ALU | BPF_LSH | BPF_X:
    case BPF_ALU | BPF_RSH | BPF_X:
    case BPF_ALU | BPF_NEG:
    case BPF_JMP | BPF_JA:
    case BPF_JMP | BPF_JEQ | BPF_K:
    case BPF_JMP | BPF_JEQ | BPF_X:
    case BPF_JMP | BPF_JGE | BPF_K:
    case BPF_JMP | BPF_JGE | BPF_X:
    case BPF_JMP | BPF_JGT | BPF_K:
    case BPF_JMP | BPF_JGT | BPF_X:
    case BPF_JMP | BPF_JSET | BPF_K:
    case BPF_JMP | BPF_JSET | BPF_X: return true;
    case BPF_ALU | BPF_LSH | BPF_K:
    case BPF_ALU | BPF_RSH | BPF_K: return instruction.k < 32;
    default: return false;
  }
}

std::uint32_t calculate(unsigned operation, std::uint32_t a, std::uint32_t b) {
  switch (operation) {
    case BPF_ADD: return a + b;
    case BPF_SUB: return a - b;
    case BPF_MUL: return a * b;
    case BPF_DIV: return b != 0 ? a / b : 0;
    case BPF_AND: return a & b;
    case BPF_OR: return a | b;
    case BPF_XOR: return a ^ b;
    case BPF_LSH: return a << (b & 31);
    case BPF_RSH: return a >> (b & 31);
    default: return 0 - a;  // BPF_NEG
  }
}

bool is_taken(unsigned condition, std::uint32_t a, std::uint32_t b) {
  switch (condition) {
    case BPF_JEQ: return a == b;
    case BPF_JGE: return a >= b;
    case BPF_JGT: return a > b;
    default: return (a & b) != 0;  // BPF_JSET
  }
}

bool is_allowed(const SeccompFilter& filter, const EngineCall& call) {
  seccomp_data data = {};
  data.nr = static_cast<int>(call.number);
  data.arch = AUDIT_ARCH_X86_64;
  for (unsigned i = 0; i < 4; ++i) data.args[i] = call.arguments[i];
  const std::uint32_t action = run_filter(filter, data) & SECCOMP_RET_ACTION_FULL;
  return action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG;
}

}  // namespace

bool is_valid_filter(const SeccompFilter& filter) {
  if (filter.length == 0 || filter.length > kMostInstructions) return false;
  for (unsigned i = 0; i < filter.length; ++i) {
    const sock_filter& instruction = filter.code[i];
    if (!is_known(instruction)) return false;
    const unsigned left = filter.length - i - 1;
    if (BPF_CLASS(instruction.code) != BPF_JMP) continue;
    if (BPF_OP(instruction.code) == BPF_JA ? instruction.k >= left
                                           : instruction.jt >= left || instruction.jf >= left)
      return false;
  }
  return BPF_CLASS(filter.code[filter.length - 1].code) == BPF_RET;
}

std::uint32_t run_filter(const SeccompFilter& filter, const seccomp_data& call) {
  std::uint32_t a = 0, x = 0, memory[BPF_MEMWORDS] = {};
  // Jumps lead forward only, and the last instruction returns.
  for (unsigned at = 0; at < filter.length; ++at) {
    const auto [code, jump_true, jump_false, k] = filter.code[at];
    const std::uint32_t operand = BPF_SRC(code) == BPF_X ? x : k;
    switch (BPF_CLASS(code)) {
      case BPF_LD:
      case BPF_LDX: {
        std::uint32_t value = k;
        if (BPF_MODE(code) == BPF_ABS)
          __builtin_memcpy(&value, reinterpret_cast<const char*>(&call) + k, sizeof value);
        if (BPF_MODE(code) == BPF_MEM) value = memory[k];
        if (BPF_MODE(code) == BPF_LEN) value = sizeof call;
        (BPF_CLASS(code) == BPF_LD ? a : x) = value;
        break;
      }
      case BPF_ST: memory[k] = a; break;
      case BPF_STX: memory[k] = x; break;
      case BPF_ALU:
        // As the kernel does it: the filter ends.
        if (BPF_OP(code) == BPF_DIV && operand == 0) return 0;
        a = calculate(BPF_OP(code), a, operand);
        break;
      case BPF_JMP:
        if (BPF_OP(code) == BPF_JA)
          at += k;
        else
          at += is_taken(BPF_OP(code), a, operand) ? jump_true : jump_false;
        break;
      case BPF_RET: return BPF_RVAL(code) == BPF_A ? a : k;
      default:  // BPF_MISC
        if (BPF_MISCOP(code) == BPF_TAX)
          x = a;
        else
          a = x;
        break;
    }
  }
  return SECCOMP_RET_KILL_PROCESS;
}

bool looks_at_code_address(const SeccompFilter& filter) {
  constexpr std::uint32_t kFirst = offsetof(seccomp_data, instruction_pointer);
  for (unsigned i = 0; i < filter.length; ++i) {
    const sock_filter& instruction = filter.code[i];
    if (instruction.code == (BPF_LD | BPF_W | BPF_ABS) && instruction.k >= kFirst &&
        instruction.k < kFirst + sizeof(std::uint64_t))
      return true;
  }
  return false;
}

const char* first_forbidden(const SeccompFilter& filter, EngineNeed need) {
  const auto find = [&filter](const auto& calls) -> const char* {
    for (const EngineCall& call : calls)
      if (!is_allowed(filter, call)) return call.name;
    return nullptr;
  };
  return need == EngineNeed::kRunning ? find(kRunningCalls) : find(kStartingCalls);
}

}  // namespace bops::native
