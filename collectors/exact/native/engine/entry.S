/* Where the engine is entered and left: the only code that runs with the guest's registers. */
#include "collectors/exact/native/engine/layout.h"

  .intel_syntax noprefix
  .text

#define EXPORT(name) .globl name; .hidden name; .type name, @function; name

/* The cache is left through an exit, whose number is in GS_EXIT. The guest's registers are saved
 * and dispatch decides where to go on. */
EXPORT(engine_enter):
  mov gs:[GS_REGISTERS + 0], rax
  mov gs:[GS_REGISTERS + 8], rcx
  mov gs:[GS_REGISTERS + 16], rdx
  mov gs:[GS_REGISTERS + 24], rbx
  mov gs:[GS_REGISTERS + 32], rsp
  mov gs:[GS_REGISTERS + 40], rbp
  mov gs:[GS_REGISTERS + 48], rsi
  mov gs:[GS_REGISTERS + 56], rdi
  mov gs:[GS_REGISTERS + 64], r8
  mov gs:[GS_REGISTERS + 72], r9
  mov gs:[GS_REGISTERS + 80], r10
  mov gs:[GS_REGISTERS + 88], r11
  mov gs:[GS_REGISTERS + 96], r12
  mov gs:[GS_REGISTERS + 104], r13
  mov gs:[GS_REGISTERS + 112], r14
  mov gs:[GS_REGISTERS + 120], r15
  mov rsp, gs:[GS_STACK]
  pushfq
  pop gs:[GS_FLAGS]
  pushfq                      /* no direction flag, no alignment check, no trap; the ID flag */
  and dword ptr [rsp], 0x200000 /* stays, which rt_sigreturn does not restore */
  popfq
  mov rdi, gs:[GS_SELF]
  call dispatch
  mov rdi, rax

/* Back to the guest at cache address RDI, with the registers of the current area. From resume_begin
 * on the area holds the guest's whole state: on_signal takes it from there. */
EXPORT(resume_guest):
  mov gs:[GS_RESUME], rdi
EXPORT(resume_begin):
  /* Who asks for attention before this does it in vain no more: on_signal looks where we stand. */
  cmp dword ptr gs:[GS_ATTENTION], 0
  jne 2f
  cmp dword ptr gs:[GS_UNMASK], 0
  je 1f
  mov dword ptr gs:[GS_UNMASK], 0
EXPORT(unmask_begin):
  mov eax, 14                 /* rt_sigprocmask(SIG_SETMASK, &mask, 0, 8) */
  mov edi, 2
  mov rsi, gs:[GS_SELF]
  lea rsi, [rsi + GS_MASK - GS_SLOTS]
  xor edx, edx
  mov r10d, 8
  syscall
EXPORT(unmask_end):
1:
  mov rsp, gs:[GS_STACK]
  push gs:[GS_FLAGS]
  popfq
  mov rax, gs:[GS_REGISTERS + 0]
  mov rcx, gs:[GS_REGISTERS + 8]
  mov rdx, gs:[GS_REGISTERS + 16]
  mov rbx, gs:[GS_REGISTERS + 24]
  mov rsp, gs:[GS_REGISTERS + 32]
  mov rbp, gs:[GS_REGISTERS + 40]
  mov rsi, gs:[GS_REGISTERS + 48]
  mov rdi, gs:[GS_REGISTERS + 56]
  mov r8, gs:[GS_REGISTERS + 64]
  mov r9, gs:[GS_REGISTERS + 72]
  mov r10, gs:[GS_REGISTERS + 80]
  mov r11, gs:[GS_REGISTERS + 88]
  mov r12, gs:[GS_REGISTERS + 96]
  mov r13, gs:[GS_REGISTERS + 104]
  mov r14, gs:[GS_REGISTERS + 112]
  mov r15, gs:[GS_REGISTERS + 120]
  jmp gs:[GS_RESUME]
EXPORT(resume_end):
2:
  mov rsp, gs:[GS_STACK]
  mov rdi, gs:[GS_SELF]
  call attend
  mov rdi, rax
  jmp resume_guest

/* Raises SIGILL: on_signal takes the thread's state from its area, and returns to where no code of
 * the engine could set all registers, RSP and RIP included. */
EXPORT(go_through_signal):
  ud2

/* Continues in C++ on another stack: RDI(RSI, RDX), with stack top RCX. */
EXPORT(continue_on_stack):
  mov rax, rdi
  mov rdi, rsi
  mov rsi, rdx
  mov rsp, rcx
  call rax
  ud2

/* The kernel calls this for each signal, on the thread's signal stack. */
EXPORT(signal_entry):
  pushfq
  and dword ptr [rsp], 0x200000
  popfq
  jmp on_signal

EXPORT(signal_return):
  mov eax, [rsp + 176]        /* UserContext::machine.flags: the ID flag is what it is when */
  and eax, 0x200000           /* rt_sigreturn is called */
  push rax
  popfq
  mov eax, 15
  syscall
  ud2

/* rt_sigreturn from the frame whose user context is at RDI. */
EXPORT(return_through):
  mov rsp, rdi
  mov eax, 15
  syscall
  ud2

/* raw_clone(number, a, b, c, d, e, new_area): the system call with these arguments. In the child,
 * which may share this stack with its parent, nothing is touched before it has a stack of its own:
 * it goes on in start_thread(new_area). */
EXPORT(raw_clone):
  push rbx
  mov rbx, [rsp + 16]
  mov rax, rdi
  mov rdi, rsi
  mov rsi, rdx
  mov rdx, rcx
  mov r10, r8
  mov r8, r9
  syscall
  test rax, rax
  jz 2f
  pop rbx
  ret
2:
  test rbx, rbx
  jz 3f
  mov rsp, [rbx + GS_STACK - GS_SLOTS]
  xor ebp, ebp
  mov rdi, rbx
  call start_thread
  ud2
3:                            /* a fork: the child has a stack of its own */
  pop rbx
  ret

/* exit(RDI), the very last of a thread: the word at RSI becomes RDX, and from then on another
 * thread may use its stacks. */
EXPORT(leave_for_ever):
  mov eax, 60
  mov [rsi], edx
  syscall
  ud2

/* copy_bytes(to, from, size): a fault in here makes it return 0. */
EXPORT(copy_bytes):
  mov rcx, rdx
EXPORT(copy_begin):
  rep movsb
EXPORT(copy_end):
  mov eax, 1
  ret
EXPORT(copy_failed):
  xor eax, eax
  ret

  .section .note.GNU-stack, "", @progbits
