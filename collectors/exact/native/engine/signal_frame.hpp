/// The kernel's structures for signals (arch/x86: rt_sigframe, ucontext, sigcontext).
#ifndef BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_SIGNAL_FRAME_HPP
#define BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_SIGNAL_FRAME_HPP

#include <cstddef>
#include <cstdint>

#include "collectors/exact/native/engine/system_call.hpp"

namespace bops::native {

using KernelMask = std::uint64_t;

inline constexpr KernelMask mask_of(int signal) {
  return KernelMask{1} << (signal - 1);
}

enum Signal : int {
  kSigIll = 4,
  kSigTrap = 5,
  kSigAbrt = 6,
  kSigBus = 7,
  kSigFpe = 8,
  kSigKill = 9,
  kSigSegv = 11,
  kSigStop = 19,
  kSignals = 64
};

/// Raised by what an instruction does.
inline constexpr KernelMask kSynchronousSignals =
    mask_of(kSigIll) | mask_of(kSigTrap) | mask_of(kSigBus) | mask_of(kSigFpe) | mask_of(kSigSegv);

struct KernelAction {
  Word handler;  ///< 0: default, 1: ignore
  Word flags;
  Word restorer;
  KernelMask mask;
};

enum ActionFlag : Word {
  kNoChildStop = 1,
  kNoChildWait = 2,
  kWithInformation = 4,
  kWithRestorer = 0x04000000,
  kOnStack = 0x08000000,
  kRestart = 0x10000000,
  kNoDefer = 0x40000000,
  kResetHandler = 0x80000000
};

struct KernelStack {
  Word base;
  std::int32_t flags;
  std::int32_t padding;
  Word size;
};

enum StackFlag : std::int32_t {
  kOnThisStack = 1,
  kStackDisabled = 2,
  kAutoDisarm = -2147483647 - 1
};

struct KernelInformation {
  std::int32_t signal;
  std::int32_t error;
  std::int32_t code;
  std::int32_t padding;
  Word address;
  std::uint8_t rest[104];
};
static_assert(sizeof(KernelInformation) == 128);

struct MachineContext {
  Word r8, r9, r10, r11, r12, r13, r14, r15;
  Word rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, flags;
  std::uint16_t cs, gs, fs, ss;
  Word error, trap, old_mask, fault_address;
  Word floating_point;  ///< address of the saved vector state, 0: none
  Word reserved[8];
};
static_assert(sizeof(MachineContext) == 256);

struct UserContext {
  Word flags;
  Word link;
  KernelStack stack;
  MachineContext machine;
  KernelMask mask;
};
static_assert(sizeof(UserContext) == 304);

struct SignalFrame {
  Word restorer;
  UserContext context;
  KernelInformation information;
};
static_assert(sizeof(SignalFrame) == 440);

}  // namespace bops::native

#endif
