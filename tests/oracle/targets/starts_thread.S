# The first thread retires 16 instructions and sleeps 0.3 s; the other retires 202.
    .intel_syntax noprefix
    .globl  _start
    .text
_start:
    mov     eax, 56                 # 1   clone(VM|FS|FILES|SIGHAND|THREAD, stack)
    mov     edi, 0x10f00            # 2
    lea     rsi, [rip + stack_end]  # 3
    xor     edx, edx                # 4
    xor     r10d, r10d              # 5
    xor     r8d, r8d                # 6
    syscall                         # 7
    test    eax, eax                # 8   thread: 1
    jz      thread                  # 9   thread: 2
    mov     eax, 35                 # 10  nanosleep(&nap, 0)
    lea     rdi, [rip + nap]        # 11
    xor     esi, esi                # 12
    syscall                         # 13
    xor     edi, edi                # 14
    mov     eax, 231                # 15  exit_group
    syscall                         # 16
thread:
    mov     ecx, 98                 # thread: 3
spin:
    dec     ecx                     # thread: 98 times two
    jnz     spin
    xor     edi, edi                # thread: 200
    mov     eax, 60                 # thread: 201
    syscall                         # thread: 202
    .data
    .balign 8
nap:
    .quad   0, 300000000
    .bss
    .balign 16
    .skip   4096
stack_end:
    .skip   16
