# Software prefetches are loads; prefetchw is a store as well. They may point anywhere.
#
# expect: instructions=13 loads=7 stores=2 branches=1 bops_formula=3 integer=0 floating_point=0 address=3
# class: branch=1 load=5 store=0 load_store=2 floating_point=0 integer=3 other=2
# exit: 0
    .intel_syntax noprefix
    .globl  _start
    .text
_start:
    lea     rsi, [rip + cells]              #   1         integer; address 1
    mov     ecx, 4                          #   2         other
    prefetcht0 [rsi]                        #   3         load
    prefetcht1 [rsi + 64]                   #   4         load
    prefetcht2 [rsi + rcx*8]                #   5         load; address 1
    prefetchnta [rsi]                       #   6         load
    prefetchw [rsi]                         #   7         load_store
    prefetchw [rsi + rcx*8]                 #   8         load_store; address 1
    xor     ecx, ecx                        #   9         integer
    prefetcht0 [rcx]                        #  10         load
    mov     eax, 60                         #  11         other
    xor     edi, edi                        #  12         integer
    syscall                                 #  13         branch
    .bss
cells:
    .skip   128
