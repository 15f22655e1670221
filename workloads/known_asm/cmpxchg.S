# Compare and exchange: a load and a store, whether it succeeds or fails.
#
# expect: instructions=19 loads=9 stores=9 branches=1 bops_formula=0 integer=10 floating_point=0 address=2
# class: branch=1 load=0 store=0 load_store=0 floating_point=0 integer=14 other=4
# exit: 0
    .intel_syntax noprefix
    .globl  _start
    .text
_start:
    lea     rsi, [rip + cells]              #   1         integer; address 1
    mov     ebx, 7                          #   2         other
    xor     eax, eax                        #   3         integer
    cmpxchg [rsi], ebx                      #   4         integer, loads and stores; integer 1
    cmpxchg [rsi], ebx                      #   5         integer, loads and stores; integer 1
    mov     eax, 1                          #   6         other
    cmpxchg [rsi], rbx                      #   7         integer, loads and stores; integer 1
    lock cmpxchg [rsi], rbx                 #   8         integer, loads and stores; integer 1
    mov     ecx, 1                          #   9         other
    lock cmpxchg [rsi + rcx*8], rbx         #  10         integer, loads and stores; integer 1, address 1
    cmpxchg ebx, ecx                        #  11         integer; integer 1
    xor     edx, edx                        #  12         integer
    cmpxchg8b [rsi + 16]                    #  13         integer, loads and stores; integer 1
    lock cmpxchg8b [rsi + 16]               #  14         integer, loads and stores; integer 1
    cmpxchg16b [rsi + 16]                   #  15         integer, loads and stores; integer 1
    lock cmpxchg16b [rsi + 16]              #  16         integer, loads and stores; integer 1
    mov     eax, 60                         #  17         other
    xor     edi, edi                        #  18         integer
    syscall                                 #  19         branch
    .bss
    .balign 16
cells:
    .skip   64
