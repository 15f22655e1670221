#include "collectors/exact/native/engine/dispatch.hpp"

#include <asm/unistd.h>

#include "collectors/exact/native/engine/code_cache.hpp"
#include "collectors/exact/native/engine/detach.hpp"
#include "collectors/exact/native/engine/exec.hpp"
#include "collectors/exact/native/engine/far_transfer.hpp"
#include "collectors/exact/native/engine/guest_files.hpp"
#include "collectors/exact/native/engine/inserted_code.hpp"
#include "collectors/exact/native/engine/instruction.hpp"
#include "collectors/exact/native/engine/memory_map.hpp"
#include "collectors/exact/native/engine/process_maps.hpp"
#include "collectors/exact/native/engine/process_modes.hpp"
#include "collectors/exact/native/engine/regions.hpp"
#include "collectors/exact/native/engine/signals.hpp"

extern "C" {
#include "collectors/region/region_protocol.h"
[[noreturn]] void resume_guest(bops::native::Word address);
bops::native::Word dispatch(bops::native::Area* area);
}

namespace bops::native {
namespace {

constexpr std::uint16_t kWatched[] = {
    __NR_open,          __NR_stat,        __NR_lstat,        __NR_mmap,           __NR_mprotect,
    __NR_munmap,        __NR_brk,         __NR_rt_sigaction, __NR_rt_sigprocmask, __NR_rt_sigreturn,
    __NR_access,        __NR_mremap,      __NR_madvise,      __NR_shmat,          __NR_clone,
    __NR_fork,          __NR_vfork,       __NR_execve,       __NR_exit,           __NR_shmdt,
    __NR_readlink,      __NR_personality, __NR_mlockall,     __NR_prctl,          __NR_setrlimit,
    __NR_prlimit64,     __NR_seccomp,     __NR_sigaltstack,  __NR_arch_prctl,     __NR_exit_group,
    __NR_openat,        __NR_newfstatat,  __NR_readlinkat,   __NR_faccessat,      __NR_execveat,
    __NR_pkey_mprotect, __NR_statx,       __NR_clone3,       __NR_openat2,        __NR_faccessat2};

constexpr Word kArchSetGs = 0x1001, kArchGetGs = 0x1004, kArchShadowStackFirst = 0x5001,
               kArchShadowStackLast = 0x5005;
constexpr std::int64_t kInvalid = -22;
constexpr Word kSystemCallSize = 2;

Word replace_program(Area* area, std::int64_t number, const Word arguments[6]) {
  note_end_of_process(area);
  const KernelMask mask = pass_signals_on(area);
  const std::int64_t result = execute_program(number, arguments, mask);
  take_signals_back(area);
  note_process_goes_on(area);
  return static_cast<Word>(result);
}

/// The guest's system call: its result is in RAX, or the return value is the cache address that
/// carries it out as it is.
Word system_call(Area* area, const Exit& exit) {
  Word* const registers = area->registers;
  const auto number = static_cast<std::int64_t>(static_cast<std::int32_t>(registers[kRax]));
  const Word arguments[6] = {registers[kRdi], registers[kRsi], registers[kRdx],
                             registers[kR10], registers[kR8],  registers[kR9]};
  std::int64_t result = 0;
  switch (number) {
    case __NR_mmap:
    case __NR_mprotect:
    case __NR_munmap:
    case __NR_brk:
    case __NR_mremap:
    case __NR_madvise:
    case __NR_shmat:
    case __NR_shmdt:
    case __NR_pkey_mprotect: result = memory_system_call(number, arguments); break;
    case __NR_rt_sigaction:
      result = guest_sigaction(area, arguments[0], arguments[1], arguments[2], arguments[3]);
      break;
    case __NR_rt_sigprocmask:
      result = guest_sigprocmask(area, arguments[0], arguments[1], arguments[2], arguments[3]);
      break;
    case __NR_sigaltstack: result = guest_sigaltstack(area, arguments[0], arguments[1]); break;
    case __NR_rt_sigreturn: guest_sigreturn(area);
    case __NR_clone:
    case __NR_fork:
    case __NR_vfork:
    case __NR_clone3:
      result = clone_guest(area, number, exit.resume);
      if (result == kNoRoom)
        return detach(area, exit.pc - kSystemCallSize,
                      "its limits (ulimit -v, vm.max_map_count) leave no room for the counters of "
                      "another thread");
      break;
    case __NR_prctl:
    case __NR_seccomp:
    case __NR_personality:
    case __NR_mlockall:
    case __NR_setrlimit:
    case __NR_prlimit64: {
      const ModeCall mode = follow_mode_call(number, arguments);
      if (mode.course == ModeCall::kAsItIs) return exit.inline_call;
      if (mode.course == ModeCall::kDetach)
        return detach(area, exit.pc - kSystemCallSize, mode.reason);
      result = mode.result;
      break;
    }
    case __NR_execve:
    case __NR_execveat:
      result = static_cast<std::int64_t>(replace_program(area, number, arguments));
      break;
    case __NR_exit: exit_thread(area, arguments[0]);
    case __NR_exit_group: exit_process(area, arguments[0]);
    case __NR_arch_prctl:
      if (arguments[0] == kArchSetGs)
        return detach(area, exit.pc - kSystemCallSize,
                      "it uses the GS register, which the engine needs");
      if (arguments[0] == kArchGetGs) {
        const Word none = 0;
        result = write_guest(arguments[1], none) ? 0 : -14;
      } else if (arguments[0] >= kArchShadowStackFirst && arguments[0] <= kArchShadowStackLast) {
        result = kInvalid;  // as on a kernel without shadow stacks: the guest returns by jumps here
      } else {
        return exit.inline_call;
      }
      break;
    case BOPS_REGION_SYSTEM_CALL:
      if (arguments[0] != BOPS_REGION_MAGIC) return exit.inline_call;
      result = region_call(area, arguments[1], arguments[2], arguments[3]);
      break;
    case __NR_read:
    case __NR_pread64:
    case __NR_recvfrom:
      release_code_in(arguments[1], arguments[1] + arguments[2]);
      return exit.inline_call;
    default:
      if (!guest_file_call(number, arguments, result)) return exit.inline_call;
      break;
  }
  // Another one after a fork out of a region.
  Word* const current = current_area()->registers;
  current[kR11] = current[kFlags];
  current[kRax] = static_cast<Word>(result);
  return exit.resume;
}

/// Why the guest cannot be followed at `pc`.
const char* uncountable_reason(Word pc) {
  Instruction decoded;
  const bool is_known = decode_instruction(reinterpret_cast<const std::uint8_t*>(pc),
                                           BOPS_PROFILE_MAX_INSTRUCTION_SIZE, decoded);
  if (!is_known) return "it executes an instruction that the engine does not know";
  if (decoded.gs_segment || decoded.control == Control::kGsBase)
    return "it uses the GS register, which the engine needs";
  return "its code does not fit the engine's cache";
}

Word interrupt(Area* area, const Exit& exit) {
  constexpr Word kSize = 2;
  const Word pc = exit.pc;
  const auto* const code = reinterpret_cast<const std::uint8_t*>(pc);
  constexpr unsigned kInterruptOpcode = 0xcd, kSystemCallVector = 0x80, kBreakpointVector = 3,
                     kOverflowVector = 4;
  if (code[0] == kInterruptOpcode && code[1] != kSystemCallVector) {
    const bool traps = code[1] == kBreakpointVector || code[1] == kOverflowVector;
    if (!traps) {  // it faults: all of its block was executed but it
      const Block& block = *cache.block_at(exit.block);
      const Guard guard(engine.lock);
      leave_block(area, {pc, &block, block.instructions - 1U, 0, true});
    }
    return pc;
  }
  if (code[0] != kInterruptOpcode || !carry_out_interrupt(area))
    return detach(area, pc, "it makes 32-bit system calls that the engine does not follow");
  const Guard guard(engine.lock);
  return cache.enter(pc + kSize);
}

/// gettimeofday, time and getcpu at fixed addresses, which the kernel carries out when code is
/// fetched from there. False if it does not do so here, or would raise a signal.
bool carry_out_vsyscall(Area* area, Word pc, Word& return_address) {
  constexpr Word kPage = 0xffffffffff600000, kStep = 1024;
  constexpr int kGettimeofday = 96, kTime = 201, kGetcpu = 309;
  constexpr int kCalls[] = {kGettimeofday, kTime, kGetcpu};
  constexpr std::int64_t kFault = -14;
  const Word index = (pc - kPage) / kStep;
  if (pc < kPage || pc % kStep != 0 || index >= 3) return false;
  bool is_there = false;
  ProcessMaps maps;
  for (MemoryMapping mapping{}; maps.next(mapping);)
    is_there |= mapping.start == kPage && mapping.executable;
  Word* const registers = area->registers;
  if (!is_there || !read_guest(registers[kRsp], return_address)) return false;
  const std::int64_t result = kernel_call(kCalls[index], registers[kRdi], registers[kRsi]);
  if (result == kFault) return false;
  registers[kRax] = static_cast<Word>(result);
  registers[kRsp] += sizeof return_address;
  return true;
}

/// There is no code at `pc` that the engine knows of. Mostly that raises a signal, which only the
/// CPU can tell: it gets to see this one instruction where it lies.
Word run_natively(Area* area, Word pc) {
  Word return_address = 0;
  if (carry_out_vsyscall(area, pc, return_address)) {
    const Guard guard(engine.lock);
    return cache.enter(return_address);
  }
  const Guard guard(engine.lock);
  if (!executable_at(pc)) {
    const Word page = pc & ~(kPageSize - 1);
    read_executables_again(page, page + kPageSize);
    if (executable_at(pc)) return cache.enter(pc);
  }
  area->thread->steps = true;
  area->attention = 1;
  return pc;
}

Word leave_cache(Area* area) {
  const std::uint32_t index = area->exit;
  const Exit exit = cache.exit(index);
  switch (exit.kind) {
    case ExitKind::kDirect: {
      const Guard guard(engine.lock);
      const Word address = cache.enter(exit.pc);
      cache.link(index, address);
      return address;
    }
    case ExitKind::kIndirect: {
      const Guard guard(engine.lock);
      const Word address = cache.enter(area->target);
      if (cache.find(area->target) != 0) cache.put_into_table(area->target, address);
      return address;
    }
    case ExitKind::kSystemCall: return system_call(area, exit);
    case ExitKind::kFar: {
      Word pc = 0;
      if (!carry_out_far_transfer(area, exit.pc, pc))
        return detach(area, exit.pc, "it leaves 64-bit mode");
      const Guard guard(engine.lock);
      return cache.enter(pc);
    }
    case ExitKind::kInterrupt: return interrupt(area, exit);
    case ExitKind::kNative: return run_natively(area, exit.pc);
    case ExitKind::kUncountable: return detach(area, exit.pc, uncountable_reason(exit.pc));
  }
  give_up("an exit of no known kind");
}

}  // namespace

void run_guest(const Start& start) {
  if (!cache.create(engine.cache_place, engine.cache_size))
    give_up("no memory may be executed here");
  for (const unsigned number : kWatched) cache.watch(number);
  cache.watch(BOPS_REGION_SYSTEM_CALL);
  Thread* const thread = start_first_thread();
  take_over_signals(thread);
  Area* const area = thread->area;
  area->registers[kRsp] = start.rsp;
  constexpr Word kInterruptsEnabled = 0x202;
  area->registers[kFlags] = kInterruptsEnabled;
  Word address = 0;
  {
    const Guard guard(engine.lock);
    address = cache.enter(start.pc);
  }
  resume_guest(address);
}

}  // namespace bops::native

/// Called by engine_enter; returns the address to resume at.
bops::native::Word dispatch(bops::native::Area* area) {
  using namespace bops::native;
  const Word address = leave_cache(area);
  // Another one if a region began or ended, or after a fork out of one.
  Area* const current = current_area();
  current->attention |= area->attention;
  send_deferred(current);
  return address;
}
