# Loops of known counts, as a function (known_loops.h) and as a program that calls it with 10 rounds.
#
# expect: instructions=150 loads=31 stores=21 branches=43 bops_formula=55 integer=60 floating_point=0 address=1
# class: branch=43 load=20 store=20 load_store=0 floating_point=0 integer=62 other=5
# exit: 0
    .intel_syntax noprefix
    .text
#ifndef BOPS_KNOWN_LOOPS_FUNCTION
    .globl  _start
_start:
    mov     edi, 10                         #   1         other
    lea     rsi, [rip + cells]              #   2         integer; address 1
    call    bops_known_loops                #   3         branch, stores
    mov     eax, 60                         # 148         other
    xor     edi, edi                        # 149         integer
    syscall                                 # 150         branch
#endif
    .globl  bops_known_loops
    .hidden bops_known_loops
    .type   bops_known_loops, @function
    .balign 16
bops_known_loops:
    mov     rcx, rdi                        #   4         other
loads:
    mov     rax, [rsi]                      #  14 (x 10)  load
    mov     rdx, [rsi + 8]                  #  24 (x 10)  load
    add     rax, [rsi + 16]                 #  34 (x 10)  integer, loads; integer 1
    dec     rcx                             #  44 (x 10)  integer; integer 1
    jnz     loads                           #  54 (x 10)  branch
    mov     rcx, rdi                        #  55         other
stores:
    mov     [rsi], rax                      #  65 (x 10)  store
    mov     [rsi + 8], rdx                  #  75 (x 10)  store
    dec     rcx                             #  85 (x 10)  integer; integer 1
    jnz     stores                          #  95 (x 10)  branch
    mov     rcx, rdi                        #  96         other
branches:
    add     rax, rdx                        # 106 (x 10)  integer; integer 1
    jmp     over                            # 116 (x 10)  branch
over:
    xor     rdx, rax                        # 126 (x 10)  integer; integer 1
    dec     rcx                             # 136 (x 10)  integer; integer 1
    jnz     branches                        # 146 (x 10)  branch
    ret                                     # 147         branch, loads
    .size   bops_known_loops, . - bops_known_loops
#ifndef BOPS_KNOWN_LOOPS_FUNCTION
    .bss
    .balign 8
cells:
    .skip   24
#else
    .section .note.GNU-stack, "", @progbits
#endif
