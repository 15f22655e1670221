#include "tests/native/executed.hpp"

#include <cpuid.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

// What the assembly below reads and writes.
extern "C" {
alignas(64) std::uint8_t bops_test_vectors[16384];  // an XSAVE area
std::uint64_t bops_test_registers[17];              // the flags last
void* bops_test_code;
void bops_test_save_vectors();
void bops_test_execute();
}

asm(R"(
  .text
bops_test_save_vectors:
  push %rdx
  mov $-1, %eax
  mov $-1, %edx
  xsave64 bops_test_vectors(%rip)
  pop %rdx
  ret

bops_test_execute:
  push %rbx
  push %rbp
  push %r12
  push %r13
  push %r14
  push %r15
  mov $-1, %eax
  mov $-1, %edx
  xrstor64 bops_test_vectors(%rip)
  push 128+bops_test_registers(%rip)
  popfq
  mov 0+bops_test_registers(%rip), %rax
  mov 8+bops_test_registers(%rip), %rcx
  mov 16+bops_test_registers(%rip), %rdx
  mov 24+bops_test_registers(%rip), %rbx
  mov 40+bops_test_registers(%rip), %rbp
  mov 48+bops_test_registers(%rip), %rsi
  mov 56+bops_test_registers(%rip), %rdi
  mov 64+bops_test_registers(%rip), %r8
  mov 72+bops_test_registers(%rip), %r9
  mov 80+bops_test_registers(%rip), %r10
  mov 88+bops_test_registers(%rip), %r11
  mov 96+bops_test_registers(%rip), %r12
  mov 104+bops_test_registers(%rip), %r13
  mov 112+bops_test_registers(%rip), %r14
  mov 120+bops_test_registers(%rip), %r15
  call *bops_test_code(%rip)
  mov %rax, 0+bops_test_registers(%rip)
  mov %rcx, 8+bops_test_registers(%rip)
  mov %rdx, 16+bops_test_registers(%rip)
  mov %rbx, 24+bops_test_registers(%rip)
  mov %rbp, 40+bops_test_registers(%rip)
  mov %rsi, 48+bops_test_registers(%rip)
  mov %rdi, 56+bops_test_registers(%rip)
  mov %r8, 64+bops_test_registers(%rip)
  mov %r9, 72+bops_test_registers(%rip)
  mov %r10, 80+bops_test_registers(%rip)
  mov %r11, 88+bops_test_registers(%rip)
  mov %r12, 96+bops_test_registers(%rip)
  mov %r13, 104+bops_test_registers(%rip)
  mov %r14, 112+bops_test_registers(%rip)
  mov %r15, 120+bops_test_registers(%rip)
  pushfq
  pop 128+bops_test_registers(%rip)
  mov $-1, %eax
  mov $-1, %edx
  xrstor64 bops_test_vectors(%rip)
  cld
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %rbp
  pop %rbx
  ret
)");

namespace bops::native {
namespace {

constexpr int kFaults[] = {SIGILL, SIGSEGV, SIGBUS, SIGFPE, SIGTRAP};
sigjmp_buf after_fault;

void leave(int) {
  siglongjmp(after_fault, 1);
}

std::uint8_t* prepare() {
  void* page =
      mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return nullptr;
  bops_test_save_vectors();
  // The upper part of each vector register has bits to be seen, too: 0x3f... are usual numbers.
  std::memset(bops_test_vectors + 160, 0x3f, 256);
  bops_test_vectors[512] |= 2;  // they are in use
  bops_test_code = page;
  return static_cast<std::uint8_t*>(page);
}

}  // namespace

bool can_execute() {
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  constexpr unsigned kOsXsave = 1U << 27;
  return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & kOsXsave) != 0;
}

std::optional<CpuState> execute(std::span<const std::uint8_t> instruction, const CpuState& before) {
  static std::uint8_t* const page = prepare();
  if (page == nullptr) return std::nullopt;
  *std::ranges::copy(instruction, page).out = 0xc3;
  std::ranges::copy(before.registers, bops_test_registers);
  bops_test_registers[16] = before.flags;
  struct sigaction previous[std::size(kFaults)];
  struct sigaction action {};
  action.sa_handler = leave;
  for (std::size_t i = 0; i < std::size(kFaults); ++i) sigaction(kFaults[i], &action, &previous[i]);
  volatile bool completed = false;
  if (sigsetjmp(after_fault, 1) == 0) {
    bops_test_execute();
    completed = true;
  }
  for (std::size_t i = 0; i < std::size(kFaults); ++i) {
    sigaction(kFaults[i], &previous[i], nullptr);
  }
  if (!completed) return std::nullopt;
  CpuState after;
  std::copy_n(bops_test_registers, 16, after.registers.begin());
  after.flags = bops_test_registers[16];
  return after;
}

}  // namespace bops::native
