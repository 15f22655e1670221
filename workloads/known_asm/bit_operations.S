# Shifts, rotates and single bits.
#
# expect: instructions=27 loads=2 stores=1 branches=1 bops_formula=23 integer=21 floating_point=0 address=0
# class: branch=1 load=0 store=0 load_store=0 floating_point=0 integer=22 other=4
# exit: 0
    .intel_syntax noprefix
    .globl  _start
    .text
_start:
    mov     eax, 0x1234                     #   1         other
    mov     ebx, 5                          #   2         other
    mov     ecx, 3                          #   3         other
    shl     eax, 4                          #   4         integer; integer 1
    shr     eax, cl                         #   5         integer; integer 1
    sar     eax, 1                          #   6         integer; integer 1
    rol     eax, 7                          #   7         integer; integer 1
    ror     eax, cl                         #   8         integer; integer 1
    rcl     eax, 1                          #   9         integer; integer 1
    rcr     eax, 1                          #  10         integer; integer 1
    shld    eax, ebx, 3                     #  11         integer; integer 1
    shrd    eax, ebx, cl                    #  12         integer; integer 1
    bt      eax, 3                          #  13         integer; integer 1
    bts     eax, ebx                        #  14         integer; integer 1
    btr     eax, ebx                        #  15         integer; integer 1
    btc     eax, ebx                        #  16         integer; integer 1
    bsf     edx, eax                        #  17         integer; integer 1
    bsr     edx, eax                        #  18         integer; integer 1
    bt      [rip + cell], ebx               #  19         integer, loads; integer 1
    btc     dword ptr [rip + cell], 3       #  20         integer, loads and stores; integer 1
    and     eax, 0xff                       #  21         integer; integer 1
    or      eax, ebx                        #  22         integer; integer 1
    xor     eax, ebx                        #  23         integer; integer 1
    not     eax                             #  24         integer; integer 1
    mov     eax, 60                         #  25         other
    xor     edi, edi                        #  26         integer
    syscall                                 #  27         branch
    .bss
    .balign 8
cell:
    .skip   16
