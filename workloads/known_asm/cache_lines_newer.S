# clflushopt and clwb: neither loads nor stores.
#
# expect: instructions=11 loads=1 stores=1 branches=1 bops_formula=8 integer=0 floating_point=0 address=2
# class: branch=1 load=1 store=1 load_store=0 floating_point=0 integer=2 other=6
# needs: clflushopt clwb
# exit: 0
    .intel_syntax noprefix
    .globl  _start
    .text
_start:
    lea     rsi, [rip + cells]              #   1         integer; address 1
    mov     ecx, 4                          #   2         other
    mov     [rsi], rcx                      #   3         store
    clflushopt [rsi]                        #   4         other
    clwb    [rsi]                           #   5         other
    clwb    [rsi + rcx*8]                   #   6         other; address 1
    sfence                                  #   7         other
    mov     rax, [rsi]                      #   8         load
    mov     eax, 60                         #   9         other
    xor     edi, edi                        #  10         integer
    syscall                                 #  11         branch
    .bss
    .balign 64
cells:
    .skip   128
