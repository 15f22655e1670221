# Locked operations: one instruction, a load and a store; xchg with memory needs no prefix.
#
# expect: instructions=84 loads=35 stores=35 branches=21 bops_formula=-7 integer=53 floating_point=0 address=2
# class: branch=21 load=0 store=0 load_store=2 floating_point=0 integer=55 other=6
# exit: 0
    .intel_syntax noprefix
    .globl  _start
    .text
_start:
    lea     rsi, [rip + cells]              #   1         integer; address 1
    mov     ecx, 3                          #   2         other
    lock add dword ptr [rsi], 5             #   3         integer, loads and stores; integer 1
    lock add [rsi + rcx*8], rcx             #   4         integer, loads and stores; integer 1, address 1
    lock sub qword ptr [rsi], 1             #   5         integer, loads and stores; integer 1
    lock inc dword ptr [rsi]                #   6         integer, loads and stores; integer 1
    lock dec dword ptr [rsi]                #   7         integer, loads and stores; integer 1
    lock or qword ptr [rsi], 8              #   8         integer, loads and stores; integer 1
    lock and qword ptr [rsi], -2            #   9         integer, loads and stores; integer 1
    lock xor [rsi], ecx                     #  10         integer, loads and stores; integer 1
    lock not qword ptr [rsi]                #  11         integer, loads and stores; integer 1
    lock neg qword ptr [rsi]                #  12         integer, loads and stores; integer 1
    lock bts qword ptr [rsi], 1             #  13         integer, loads and stores; integer 1
    lock btr qword ptr [rsi], 1             #  14         integer, loads and stores; integer 1
    lock xadd [rsi], ecx                    #  15         integer, loads and stores; integer 1
    xchg    [rsi], rcx                      #  16         load_store
    lock xchg [rsi], rcx                    #  17         load_store
    mov     ecx, 20                         #  18         other
again:
    lock inc qword ptr [rsi]                #  38 (x 20)  integer, loads and stores; integer 1
    dec     ecx                             #  58 (x 20)  integer; integer 1
    jnz     again                           #  78 (x 20)  branch
    mfence                                  #  79         other
    lfence                                  #  80         other
    sfence                                  #  81         other
    mov     eax, 60                         #  82         other
    xor     edi, edi                        #  83         integer
    syscall                                 #  84         branch
    .bss
    .balign 64
cells:
    .skip   64
