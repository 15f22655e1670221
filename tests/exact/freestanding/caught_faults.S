# Faults five times in the middle of a straight run; the handler steps over the faulting store.
    .intel_syntax noprefix
    .globl  _start
    .text
_start:
    mov     eax, 13                 # rt_sigaction(SIGSEGV, &action, 0, 8)
    mov     edi, 11
    lea     rsi, [rip + action]
    xor     edx, edx
    mov     r10d, 8
    syscall
    xor     ebx, ebx
    mov     r12d, 5
again:
    inc     r13d
    inc     r13d
    mov     dword ptr [rbx], 1      # faults; 6 bytes
    inc     r13d
    inc     r13d
    inc     r13d
    dec     r12d
    jnz     again
    mov     eax, 231                # exit_group
    mov     edi, r13d               # 5 * 5
    syscall
handler:
    add     qword ptr [rdx + 168], 6 # rip in the ucontext
    ret
restorer:
    mov     eax, 15                 # rt_sigreturn
    syscall
    .data
    .balign 8
action:
    .quad   handler, 0x04000004, restorer, 0
