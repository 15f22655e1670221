# clflush writes a line back: neither a load nor a store of the program's.
#
# expect: instructions=10 loads=1 stores=1 branches=1 bops_formula=7 integer=0 floating_point=0 address=2
# class: branch=1 load=1 store=1 load_store=0 floating_point=0 integer=2 other=5
# exit: 0
    .intel_syntax noprefix
    .globl  _start
    .text
_start:
    lea     rsi, [rip + cells]              #   1         integer; address 1
    mov     ecx, 4                          #   2         other
    mov     [rsi], rcx                      #   3         store
    clflush [rsi]                           #   4         other
    clflush [rsi + rcx*8]                   #   5         other; address 1
    mfence                                  #   6         other
    mov     rax, [rsi]                      #   7         load
    mov     eax, 60                         #   8         other
    xor     edi, edi                        #   9         integer
    syscall                                 #  10         branch
    .bss
    .balign 64
cells:
    .skip   128
