# x87: arithmetic, compares and conversions are one operation each; loads, stores and constants none.
#
# expect: instructions=39 loads=10 stores=7 branches=1 bops_formula=21 integer=0 floating_point=15 address=3
# class: branch=1 load=6 store=6 load_store=0 floating_point=15 integer=2 other=9
# exit: 0
    .intel_syntax noprefix
    .globl  _start
    .text
_start:
    lea     rsi, [rip + numbers]            #   1         integer; address 1
    mov     ecx, 1                          #   2         other
    fninit                                  #   3         other
    fld1                                    #   4         other
    fldpi                                   #   5         other
    fadd    st, st(1)                       #   6         floating_point; floating point 1
    faddp   st(1), st                       #   7         floating_point; floating point 1
    fld     dword ptr [rsi]                 #   8         load
    fld     qword ptr [rsi + rcx*8]         #   9         load; address 1
    fmulp   st(1), st                       #  10         floating_point; floating point 1
    fmul    dword ptr [rsi]                 #  11         floating_point, loads; floating point 1
    fdivr   qword ptr [rsi + 8]             #  12         floating_point, loads; floating point 1
    fild    dword ptr [rsi]                 #  13         floating_point, loads; floating point 1
    fiadd   dword ptr [rsi + rcx*8]         #  14         floating_point, loads; floating point 1, address 1
    fistp   dword ptr [rsi + 16]            #  15         floating_point, stores; floating point 1
    fxch    st(1)                           #  16         other
    fsqrt                                   #  17         floating_point; floating point 1
    fchs                                    #  18         floating_point; floating point 1
    fabs                                    #  19         floating_point; floating point 1
    frndint                                 #  20         floating_point; floating point 1
    fsin                                    #  21         floating_point; floating point 1
    fcomi   st, st(1)                       #  22         floating_point; floating point 1
    fcmove  st, st(1)                       #  23         other
    ftst                                    #  24         floating_point; floating point 1
    fnstsw  ax                              #  25         other
    fst     qword ptr [rsi + 16]            #  26         store
    fstp    tbyte ptr [rsi + 16]            #  27         store
    fstp    st(0)                           #  28         other
    fnstcw  [rsi + 16]                      #  29         store
    fldcw   [rsi + 16]                      #  30         load
    fnstenv [rip + state]                   #  31         store
    fldenv  [rip + state]                   #  32         load
    fnsave  [rip + state]                   #  33         store
    frstor  [rip + state]                   #  34         load
    fxsave  [rip + state]                   #  35         store
    fxrstor [rip + state]                   #  36         load
    mov     eax, 60                         #  37         other
    xor     edi, edi                        #  38         integer
    syscall                                 #  39         branch
    .data
    .balign 16
numbers:
    .long   0x3f800000, 0x40000000, 0, 0x3ff00000, 0, 0, 0, 0
    .bss
    .balign 64
state:
    .skip   512
