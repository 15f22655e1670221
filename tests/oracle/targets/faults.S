# Two instructions retire, the third faults and does not.
    .intel_syntax noprefix
    .globl  _start
    .text
_start:
    mov     ecx, 1                  # 1
    xor     eax, eax                # 2
    mov     [rax], ecx              # faults
    nop
