# Zeroing idioms are integer instructions that carry out no operation; look-alikes carry out one.
#
# expect: instructions=22 loads=0 stores=0 branches=1 bops_formula=21 integer=12 floating_point=0 address=0
# class: branch=1 load=0 store=0 load_store=0 floating_point=0 integer=18 other=3
# exit: 0
    .intel_syntax noprefix
    .globl  _start
    .text
_start:
    xor     eax, eax                        #   1         integer
    xor     r8, r8                          #   2         integer
    sub     ebx, ebx                        #   3         integer
    xor     al, al                          #   4         integer
    xor     al, ah                          #   5         integer; integer 1
    xor     eax, ebx                        #   6         integer; integer 1
    sbb     eax, eax                        #   7         integer; integer 1
    and     eax, 0                          #   8         integer; integer 1
    mov     ecx, 0                          #   9         other
    pxor    xmm0, xmm0                      #  10         integer
    xorps   xmm1, xmm1                      #  11         integer
    xorpd   xmm2, xmm2                      #  12         integer
    psubb   xmm3, xmm3                      #  13         integer
    psubq   xmm3, xmm3                      #  14         integer
    pcmpgtw xmm3, xmm3                      #  15         integer
    pcmpeqd xmm3, xmm3                      #  16         integer; integer 4
    pxor    xmm0, xmm1                      #  17         integer; integer 4
    pxor    mm0, mm0                        #  18         integer
    emms                                    #  19         other
    mov     eax, 60                         #  20         other
    xor     edi, edi                        #  21         integer
    syscall                                 #  22         branch
