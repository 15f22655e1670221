# BMI1, BMI2, popcnt and lzcnt.
#
# expect: instructions=21 loads=3 stores=0 branches=1 bops_formula=17 integer=16 floating_point=0 address=0
# class: branch=1 load=0 store=0 load_store=0 floating_point=0 integer=17 other=3
# needs: bmi bmi2 lzcnt popcnt
# exit: 0
    .intel_syntax noprefix
    .globl  _start
    .text
_start:
    mov     eax, 0x1234                     #   1         other
    mov     ebx, 0x0f0f                     #   2         other
    popcnt  ecx, eax                        #   3         integer; integer 1
    lzcnt   ecx, eax                        #   4         integer; integer 1
    tzcnt   ecx, [rip + cell]               #   5         integer, loads; integer 1
    andn    ecx, eax, ebx                   #   6         integer; integer 1
    bextr   ecx, eax, ebx                   #   7         integer; integer 1
    blsi    ecx, eax                        #   8         integer; integer 1
    blsmsk  ecx, eax                        #   9         integer; integer 1
    blsr    ecx, eax                        #  10         integer; integer 1
    bzhi    ecx, eax, ebx                   #  11         integer; integer 1
    pdep    ecx, eax, ebx                   #  12         integer; integer 1
    pext    ecx, eax, [rip + cell]          #  13         integer, loads; integer 1
    mulx    ecx, edx, eax                   #  14         integer; integer 1
    rorx    ecx, eax, 5                     #  15         integer; integer 1
    sarx    ecx, eax, ebx                   #  16         integer; integer 1
    shlx    ecx, eax, ebx                   #  17         integer; integer 1
    shrx    ecx, [rip + cell], ebx          #  18         integer, loads; integer 1
    mov     eax, 60                         #  19         other
    xor     edi, edi                        #  20         integer
    syscall                                 #  21         branch
    .bss
    .balign 8
cell:
    .skip   8
