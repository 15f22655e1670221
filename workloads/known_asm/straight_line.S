# Straight-line code of plain moves, arithmetic and memory operands.
#
# expect: instructions=36 loads=3 stores=2 branches=1 bops_formula=30 integer=14 floating_point=0 address=1
# class: branch=1 load=1 store=1 load_store=0 floating_point=0 integer=17 other=16
# exit: 0
    .intel_syntax noprefix
    .globl  _start
    .text
_start:
    mov     eax, 3                          #   1         other
    mov     ebx, 4                          #   2         other
    add     eax, ebx                        #   3         integer; integer 1
    imul    eax, ebx                        #   4         integer; integer 1
    sub     eax, 8                          #   5         integer; integer 1
    mov     [rip + cell], eax               #   6         store
    mov     ecx, [rip + cell]               #   7         load
    add     ecx, [rip + cell]               #   8         integer, loads; integer 1
    add     [rip + cell], ecx               #   9         integer, loads and stores; integer 1
    cmp     ecx, 40                         #  10         integer; integer 1
    setne   dl                              #  11         other
    movzx   edx, dl                         #  12         other
    cmovne  ecx, eax                        #  13         other
    mov     r8, rax                         #  14         other
    xchg    r8, r9                          #  15         other
    bswap   r9                              #  16         other
    cdq                                     #  17         other
    cqo                                     #  18         other
    cdqe                                    #  19         other
    movsx   r10d, cl                        #  20         other
    not     r10                             #  21         integer; integer 1
    neg     r10                             #  22         integer; integer 1
    shl     r10, 3                          #  23         integer; integer 1
    sar     r10, 1                          #  24         integer; integer 1
    test    r10, r10                        #  25         integer; integer 1
    mov     edi, edx                        #  26         other
    lea     rsi, [rdi + 5]                  #  27         integer; address 1
    clc                                     #  28         other
    adc     rsi, 0                          #  29         integer; integer 1
    mul     rcx                             #  30         integer; integer 1
    mov     ecx, 7                          #  31         other
    xor     edx, edx                        #  32         integer
    div     rcx                             #  33         integer; integer 1
    mov     eax, 60                         #  34         other
    xor     edi, edi                        #  35         integer
    syscall                                 #  36         branch
    .bss
    .balign 8
cell:
    .skip   8
