# A locked addition across the boundary of a cache line: slow, and still one instruction.
#
# expect: instructions=36 loads=11 stores=10 branches=11 bops_formula=4 integer=21 floating_point=0 address=1
# class: branch=11 load=1 store=0 load_store=0 floating_point=0 integer=22 other=2
# exit: 0
    .intel_syntax noprefix
    .globl  _start
    .text
_start:
    lea     rsi, [rip + lines + 60]         #   1         integer; address 1
    mov     ecx, 10                         #   2         other
again:
    lock add qword ptr [rsi], 1             #  12 (x 10)  integer, loads and stores; integer 1
    dec     ecx                             #  22 (x 10)  integer; integer 1
    jnz     again                           #  32 (x 10)  branch
    mov     rdi, [rsi]                      #  33         load
    sub     edi, 10                         #  34         integer; integer 1
    mov     eax, 60                         #  35         other
    syscall                                 #  36         branch
    .bss
    .balign 64
lines:
    .skip   128
