# What the engine has to count before it is trusted: 8 + 4 * 1000 + 1001 instructions, of which direct
# and indirect calls, a loop and a store. Exits with 0. Its count is kKnownWork in engine_check.cpp.
    .intel_syntax noprefix
    .globl  _start
    .text
_start:
    call    returns                         #   1
    lea     rbx, [rip + adds]               #   2
    mov     ecx, 1000                       #   3
again:
    call    rbx                             #   4 (x 1000)
    dec     ecx                             #   5 (x 1000)
    jnz     again                           #   6 (x 1000)
    cmp     dword ptr [rip + cell], 1000    #   7
    setne   al                              #   8
    movzx   edi, al                         #   9
    mov     eax, 231                        #  10  exit_group
    syscall                                 #  11
adds:
    inc     dword ptr [rip + cell]          #  12 (x 1000)
returns:
    ret                                     #  13 (x 1001)
    .bss
    .balign 8
cell:
    .skip   8
