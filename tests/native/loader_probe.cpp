/// In the translator's place: jumps into the loaded program and lets it run natively, so that what
/// the program sees of its loading can be held against a native run.
///
/// The calls that the engine carries out for the guest are trapped by a seccomp filter, and carried
/// out by the engine's code. After each one that changes memory, the list of executable ranges is
/// held against /proc/self/maps. The probe is linked to a fixed address, by which the filter tells
/// its own calls from the guest's, also those of a probe that is executed later.
#include <asm/unistd.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <ucontext.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "collectors/exact/native/engine/code_cache.hpp"
#include "collectors/exact/native/engine/exec.hpp"
#include "collectors/exact/native/engine/guest_files.hpp"
#include "collectors/exact/native/engine/loader.hpp"
#include "collectors/exact/native/engine/memory_map.hpp"
#include "collectors/exact/native/engine/process_maps.hpp"
#include "collectors/exact/native/engine/text.hpp"

extern "C" {
/// A program that is linked to an address has no dynamic section; the linker is told to take this.
extern const Elf64_Dyn probe_dynamic_section[];
const Elf64_Dyn probe_dynamic_section[] = {{DT_NULL, {0}}};

__attribute__((visibility("hidden"))) void trap_entry();   ///< the handler of SIGSYS
__attribute__((visibility("hidden"))) void trap_return();  ///< rt_sigreturn
char* take_stack();
void give_stack(char* top);
void carry_out(ucontext_t* context);
}

// The handler leaves the guest's stack, which may be small, for one of its own.
__asm__(
    ".text\n"
    "trap_entry:\n\t"
    "push %rbx\n\tpush %rbp\n\tpush %r12\n\t"
    "mov %rdx, %rbx\n\tmov %rsp, %rbp\n\t"
    "call take_stack\n\t"
    "mov %rax, %r12\n\tmov %rax, %rsp\n\tmov %rbx, %rdi\n\t"
    "call carry_out\n\t"
    "mov %rbp, %rsp\n\tmov %r12, %rdi\n\t"
    "call give_stack\n\t"
    "mov %rbp, %rsp\n\tpop %r12\n\tpop %rbp\n\tpop %rbx\n\tret\n"
    "trap_return:\n\t"
    "mov $15, %eax\n\tsyscall\n");

namespace bops::native {
namespace {

constexpr std::uint32_t kProbeAddressHigh = 0x6000;  // of -Ttext-segment
/// Of a call that exists nowhere: the filter answers it, which tells that there is one.
constexpr std::uint32_t kQuestion = 0x7ff0, kAnswer = EXFULL;

constexpr std::uint32_t kMemoryCalls[] = {__NR_mmap,    __NR_munmap, __NR_mprotect,
                                          __NR_mremap,  __NR_brk,    __NR_pkey_mprotect,
                                          __NR_madvise, __NR_shmat,  __NR_shmdt};
constexpr std::uint32_t kOtherCalls[] = {
    __NR_execve, __NR_execveat,   __NR_open,       __NR_openat,         __NR_openat2,
    __NR_stat,   __NR_newfstatat, __NR_statx,      __NR_readlink,       __NR_readlinkat,
    __NR_access, __NR_faccessat,  __NR_faccessat2, __NR_rt_sigprocmask, __NR_rt_sigaction};

[[noreturn]] void complain(const char* what, Word start, Word end) {
  char line[256];
  Text text(line, sizeof line);
  text << "loader probe: " << what << " ";
  text.hexadecimal(start) << "-";
  text.hexadecimal(end) << "\n";
  kernel_call(__NR_write, 2, word(line), text.size());
  for (;;) kernel_call(__NR_exit_group, 99);
}

void check_executable(const MemoryMapping& mapping) {
  if (!mapping.readable) complain("code cannot be read:", mapping.start, mapping.end);
  for (Word at = mapping.start; at < mapping.end;) {
    const ExecutableRange* const range = executable_at(at);
    if (!range) complain("executable memory is not listed:", mapping.start, mapping.end);
    const bool is_file = mapping.path[0] == '/';
    if (is_file && (range->inode != mapping.inode || !is_same_text(range->path, mapping.path) ||
                    range->file_offset - range->start != mapping.file_offset - mapping.start))
      complain("executable memory is listed as another file's:", mapping.start, mapping.end);
    at = range->end;
  }
}

void check_not_executable(const MemoryMapping& mapping) {
  if (!has_executables(mapping.start, mapping.end)) return;
  for (Word at = mapping.start; at < mapping.end; at += kPageSize)
    if (executable_at(at)) complain("listed memory is not executable:", mapping.start, mapping.end);
}

/// The invariant of memory_map.hpp.
void check_memory_map() {
  const Guard guard(engine.lock);
  ProcessMaps maps;
  for (MemoryMapping mapping{}; maps.next(mapping);) {
    if (is_engine_memory(mapping.start, mapping.end) || is_same_text(mapping.path, "[vsyscall]"))
      continue;
    if (mapping.executable)
      check_executable(mapping);
    else
      check_not_executable(mapping);
  }
}

struct SignalAction {
  Word handler, flags, restorer, mask;
};

/// SIGSYS stays unblocked: blocked, it would kill.
std::int64_t change_mask(ucontext_t* context, const Word arguments[6]) {
  Word mask = 0;
  std::memcpy(&mask, &context->uc_sigmask, sizeof mask);
  Word wanted = 0;
  const Word old = mask;
  if (arguments[1] != 0) {
    if (!read_guest(arguments[1], wanted)) return -EFAULT;
    if (arguments[0] == SIG_BLOCK) mask |= wanted;
    if (arguments[0] == SIG_UNBLOCK) mask &= ~wanted;
    if (arguments[0] == SIG_SETMASK) mask = wanted;
    mask &= ~(Word{1} << (SIGSYS - 1));
    std::memcpy(&context->uc_sigmask, &mask, sizeof mask);
  }
  if (arguments[2] != 0 && !write_guest(arguments[2], old)) return -EFAULT;
  return 0;
}

/// Nor may a handler have it blocked.
std::int64_t change_action(const Word arguments[6]) {
  SignalAction action = {};
  Word wanted = arguments[1];
  if (wanted != 0) {
    if (arguments[0] == SIGSYS) return 0;
    if (!read_guest(wanted, action)) return -EFAULT;
    action.mask &= ~(Word{1} << (SIGSYS - 1));
    wanted = word(&action);
  }
  return kernel_call(__NR_rt_sigaction, arguments[0], wanted, arguments[2], arguments[3]);
}

bool is_memory_call(std::int64_t number) {
  for (const std::uint32_t call : kMemoryCalls)
    if (call == static_cast<std::uint32_t>(number)) return true;
  return false;
}

std::int64_t carry_out_call(std::int64_t number, const Word arguments[6]) {
  if (is_memory_call(number)) {
    const std::int64_t result = memory_system_call(number, arguments);
    check_memory_map();
    return result;
  }
  if (number == __NR_execve || number == __NR_execveat)
    return execute_program(number, arguments, 0);
  if (number == __NR_rt_sigaction) return change_action(arguments);
  std::int64_t result = 0;
  if (guest_file_call(number, arguments, result)) return result;
  return kernel_call(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
                     arguments[5]);
}

/// Calls in the lists trap unless they come from the probe.
void install_filter() {
  if (kernel_call(kQuestion) == -static_cast<std::int64_t>(kAnswer)) return;
  sock_filter filter[80];
  unsigned short n = 0;
  const auto add = [&](unsigned code, std::uint32_t value, unsigned yes = 0, unsigned no = 0) {
    filter[n++] = {static_cast<std::uint16_t>(code), static_cast<std::uint8_t>(yes),
                   static_cast<std::uint8_t>(no), value};
  };
  constexpr std::uint32_t kAddressHigh = offsetof(seccomp_data, instruction_pointer) + 4;
  add(BPF_LD | BPF_W | BPF_ABS, kAddressHigh);
  add(BPF_JMP | BPF_JEQ | BPF_K, kProbeAddressHigh, 0, 4);
  add(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr));
  add(BPF_JMP | BPF_JEQ | BPF_K, kQuestion, 0, 1);
  add(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | kAnswer);
  add(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  add(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr));
  const auto trap = [&](std::uint32_t number) {
    add(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1);
    add(BPF_RET | BPF_K, SECCOMP_RET_TRAP);
  };
  for (const std::uint32_t number : kMemoryCalls) trap(number);
  for (const std::uint32_t number : kOtherCalls) trap(number);
  add(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  const sock_fprog program = {n, filter};
  kernel_call(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1);
  if (kernel_call(__NR_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, word(&program)) != 0)
    complain("no seccomp", 0, 0);
}

void handle_traps() {
  constexpr Word kRestorer = 0x04000000;
  const SignalAction action = {word(&trap_entry), SA_SIGINFO | SA_NODEFER | kRestorer,
                               word(&trap_return), 0};
  kernel_call(__NR_rt_sigaction, SIGSYS, word(&action), 0, sizeof action.mask);
  const Word mask = Word{1} << (SIGSYS - 1);
  kernel_call(__NR_rt_sigprocmask, SIG_UNBLOCK, word(&mask), 0, sizeof mask);
}

constexpr std::size_t kStacks = 1024, kStackSize = 131072;
struct Stack {
  alignas(16) char memory[kStackSize];
};
Stack stacks[kStacks];
std::int32_t stack_owner[kStacks];  ///< process ids; 0: free

}  // namespace

bool copy_guest(void* to, const void* from, std::size_t size) {
  const iovec local = {to, size}, remote = {const_cast<void*>(from), size};
  const auto pid = static_cast<Word>(kernel_call(__NR_getpid));
  // Writes to unwritable memory fail as reads of unreadable memory do.
  return size == 0 || kernel_call(__NR_process_vm_readv, pid, word(&local), 1, word(&remote), 1) ==
                          static_cast<std::int64_t>(size);
}

void invalidate(Word /*start*/, Word /*end*/) {}

/// As the kernel starts a program: all registers 0 but the stack pointer.
[[noreturn]] void run_guest(const Start& start) {
  check_memory_map();
  handle_traps();
  install_filter();
  __asm__ volatile(
      "mov %0, %%rsp\n\t"
      "push %1\n\t"
      "xor %%eax, %%eax\n\txor %%ebx, %%ebx\n\txor %%ecx, %%ecx\n\txor %%edx, %%edx\n\t"
      "xor %%esi, %%esi\n\txor %%edi, %%edi\n\txor %%ebp, %%ebp\n\txor %%r8d, %%r8d\n\t"
      "xor %%r9d, %%r9d\n\txor %%r10d, %%r10d\n\txor %%r11d, %%r11d\n\txor %%r12d, %%r12d\n\t"
      "xor %%r13d, %%r13d\n\txor %%r14d, %%r14d\n\txor %%r15d, %%r15d\n\t"
      "ret"
      :
      : "r"(start.rsp), "r"(start.pc)
      : "memory");
  __builtin_unreachable();
}

}  // namespace bops::native

/// A child of vfork leaves its stack behind, taken, when it executes something: whatever neither
/// this process nor its parent has taken is free.
char* take_stack() {
  using namespace bops::native;
  const auto own = static_cast<std::int32_t>(kernel_call(__NR_getpid));
  const auto parent = static_cast<std::int32_t>(kernel_call(__NR_getppid));
  for (std::size_t i = 0; i < kStacks; ++i) {
    std::int32_t owner = __atomic_load_n(&stack_owner[i], __ATOMIC_RELAXED);
    if (owner != own && owner != parent &&
        __atomic_compare_exchange_n(&stack_owner[i], &owner, own, false, __ATOMIC_ACQUIRE,
                                    __ATOMIC_RELAXED))
      return stacks[i].memory + kStackSize;
  }
  complain("no stack is left", 0, 0);
}

void give_stack(char* top) {
  using namespace bops::native;
  const auto i = static_cast<std::size_t>(top - stacks[0].memory) / kStackSize - 1;
  __atomic_store_n(&stack_owner[i], 0, __ATOMIC_RELEASE);
}

void carry_out(ucontext_t* context) {
  using bops::native::Word;
  const auto& registers = context->uc_mcontext.gregs;
  const Word arguments[6] = {
      static_cast<Word>(registers[REG_RDI]), static_cast<Word>(registers[REG_RSI]),
      static_cast<Word>(registers[REG_RDX]), static_cast<Word>(registers[REG_R10]),
      static_cast<Word>(registers[REG_R8]),  static_cast<Word>(registers[REG_R9])};
  const std::int64_t number = registers[REG_RAX];
  context->uc_mcontext.gregs[REG_RAX] = number == __NR_rt_sigprocmask
                                            ? bops::native::change_mask(context, arguments)
                                            : bops::native::carry_out_call(number, arguments);
}
