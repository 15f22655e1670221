# The parent retires 28 instructions, each of its two children 5.
    .intel_syntax noprefix
    .globl  _start
    .text
_start:
    mov     ebx, 2                  # 1
again:
    mov     eax, 57                 # +1  fork: 12 instructions, twice
    syscall                         # +2
    test    eax, eax                # +3  child: 1
    jz      child                   # +4  child: 2
    mov     edi, -1                 # +5  wait4(-1, 0, 0, 0)
    xor     esi, esi                # +6
    xor     edx, edx                # +7
    xor     r10d, r10d              # +8
    mov     eax, 61                 # +9
    syscall                         # +10
    dec     ebx                     # +11
    jnz     again                   # +12
    mov     edi, 3                  # 26
    mov     eax, 60                 # 27
    syscall                         # 28
child:
    mov     edi, 0                  # child: 3
    mov     eax, 60                 # child: 4
    syscall                         # child: 5
