# A hundred times: an `int n` that faults, which a handler steps over, and a call through a pointer
# that is addressed relative to RIP with an FS prefix, from code far above the engine's cache.
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
    mov     eax, 9                  # mmap(address, 4096, rwx, private | anonymous | fixed, -1, 0)
    movabs  rdi, 0x7e0000000000
    mov     esi, 4096
    mov     edx, 7
    mov     r10d, 0x32
    mov     r8, -1
    xor     r9d, r9d
    syscall
    mov     r14, rax
    mov     rdi, rax
    lea     rsi, [rip + high_code]
    mov     ecx, high_end - high_code
    rep     movsb
    xor     r13d, r13d
    mov     r12d, 100
again:
    inc     r13d
    int     0x29                    # faults; 2 bytes
    inc     r13d
    call    r14
    dec     r12d
    jnz     again
    cmp     r13d, 300
    setne   dil
    movzx   edi, dil
    mov     eax, 231                # exit_group
    syscall
handler:
    add     qword ptr [rdx + 168], 2 # rip in the ucontext
    ret
restorer:
    mov     eax, 15                 # rt_sigreturn
    syscall
called:
    inc     r13d
    ret
    .data
    .balign 8
action:
    .quad   handler, 0x04000004, restorer, 0
high_code:
    .byte   0x64, 0xff, 0x15        # call fs:[rip + 1]; FS is 0
    .long   1
    ret
    .quad   called
high_end:
