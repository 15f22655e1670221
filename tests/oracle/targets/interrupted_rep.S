# A repeated string instruction that a timer interrupts: 24 instructions, the rep among them once,
# and 4 more for each run of the handler. The exit code is the number of those runs, at most 255.
# Engines that count at speed need a longer rep and a faster timer than the single-stepper.
#ifndef REP_BYTES
#define REP_BYTES 8192
#define TIMER_US 20000
#endif
    .intel_syntax noprefix
    .globl  _start
    .text
_start:
    mov     eax, 13                 # 1   rt_sigaction(SIGALRM, &action, 0, 8)
    mov     edi, 14                 # 2
    lea     rsi, [rip + action]     # 3
    xor     edx, edx                # 4
    mov     r10d, 8                 # 5
    syscall                         # 6
    mov     eax, 38                 # 7   setitimer(ITIMER_REAL, &interval, 0)
    xor     edi, edi                # 8
    lea     rsi, [rip + interval]   # 9
    xor     edx, edx                # 10
    syscall                         # 11
    lea     rdi, [rip + target]     # 12
    mov     ecx, REP_BYTES          # 13
    cld                             # 14
    rep stosb                       # 15
    mov     eax, 38                 # 16  setitimer(ITIMER_REAL, &never, 0)
    xor     edi, edi                # 17
    lea     rsi, [rip + never]      # 18
    xor     edx, edx                # 19
    syscall                         # 20
    mov     edi, [rip + runs]       # 21
    mov     eax, 60                 # 22
    nop                             # 23
    syscall                         # 24
handler:
    inc     dword ptr [rip + runs]  # 1
    ret                             # 2
restorer:
    mov     eax, 15                 # 3   rt_sigreturn
    syscall                         # 4
    .data
    .balign 8
action:
    .quad   handler, 0x04000000, restorer, 0
interval:
    .quad   0, TIMER_US, 0, TIMER_US
never:
    .quad   0, 0, 0, 0
    .bss
runs:
    .skip   8
target:
    .skip   REP_BYTES
