# Arithmetic with a memory destination: one instruction, a load and a store.
#
# expect: instructions=27 loads=21 stores=18 branches=1 bops_formula=-13 integer=19 floating_point=0 address=3
# class: branch=1 load=1 store=1 load_store=1 floating_point=0 integer=21 other=2
# exit: 0
    .intel_syntax noprefix
    .globl  _start
    .text
_start:
    lea     rsi, [rip + cells]              #   1         integer; address 1
    mov     ecx, 2                          #   2         other
    add     qword ptr [rsi], 5              #   3         integer, loads and stores; integer 1
    sub     dword ptr [rsi + 8], 1          #   4         integer, loads and stores; integer 1
    add     qword ptr [rsi + rcx*8], 3      #   5         integer, loads and stores; integer 1, address 1
    and     byte ptr [rsi], 7               #   6         integer, loads and stores; integer 1
    or      word ptr [rsi + rcx], 1         #   7         integer, loads and stores; integer 1, address 1
    xor     qword ptr [rsi], rcx            #   8         integer, loads and stores; integer 1
    inc     dword ptr [rsi]                 #   9         integer, loads and stores; integer 1
    dec     dword ptr [rsi]                 #  10         integer, loads and stores; integer 1
    neg     qword ptr [rsi + 8]             #  11         integer, loads and stores; integer 1
    not     qword ptr [rsi + 8]             #  12         integer, loads and stores; integer 1
    shl     qword ptr [rsi], 2              #  13         integer, loads and stores; integer 1
    ror     dword ptr [rsi], cl             #  14         integer, loads and stores; integer 1
    adc     qword ptr [rsi], 0              #  15         integer, loads and stores; integer 1
    bts     qword ptr [rsi], 3              #  16         integer, loads and stores; integer 1
    bt      qword ptr [rsi], 3              #  17         integer, loads; integer 1
    shld    qword ptr [rsi], rcx, 4         #  18         integer, loads and stores; integer 1
    xadd    [rsi], rcx                      #  19         integer, loads and stores; integer 1
    xchg    [rsi], rcx                      #  20         load_store
    cmp     qword ptr [rsi], 3              #  21         integer, loads; integer 1
    test    byte ptr [rsi], 1               #  22         integer, loads; integer 1
    sete    byte ptr [rsi]                  #  23         store
    cmove   rax, [rsi]                      #  24         load
    mov     eax, 60                         #  25         other
    xor     edi, edi                        #  26         integer
    syscall                                 #  27         branch
    .bss
    .balign 8
cells:
    .skip   64
