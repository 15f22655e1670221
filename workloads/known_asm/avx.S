# AVX: three operands, 128 and 256 bits.
#
# expect: instructions=40 loads=8 stores=3 branches=1 bops_formula=28 integer=28 floating_point=81 address=3
# class: branch=1 load=5 store=3 load_store=0 floating_point=15 integer=9 other=7
# needs: avx
# exit: 0
    .intel_syntax noprefix
    .globl  _start
    .text
_start:
    lea     rsi, [rip + numbers]            #   1         integer; address 1
    mov     ecx, 1                          #   2         other
    vmovaps ymm0, [rsi]                     #   3         load
    vmovups ymm1, [rsi + rcx*8]             #   4         load; address 1
    vaddps  ymm2, ymm0, ymm1                #   5         floating_point; floating point 8
    vaddpd  ymm2, ymm0, [rsi]               #   6         floating_point, loads; floating point 4
    vmulpd  ymm2, ymm0, [rsi + rcx*8]       #   7         floating_point, loads; floating point 4, address 1
    vaddps  xmm2, xmm0, xmm1                #   8         floating_point; floating point 4
    vsubsd  xmm2, xmm0, xmm1                #   9         floating_point; floating point 1
    vsqrtss xmm2, xmm0, [rsi]               #  10         floating_point, loads; floating point 1
    vdivps  ymm2, ymm0, ymm1                #  11         floating_point; floating point 8
    vmaxps  ymm2, ymm0, ymm1                #  12         floating_point; floating point 8
    vcmppd  ymm2, ymm0, ymm1, 1             #  13         floating_point; floating point 4
    vcomiss xmm2, xmm0                      #  14         floating_point; floating point 1
    vroundps ymm2, ymm0, 1                  #  15         floating_point; floating point 8
    vdpps   ymm2, ymm0, ymm1, 0xff          #  16         floating_point; floating point 14
    vcvtps2pd ymm2, xmm0                    #  17         floating_point; floating point 4
    vcvtpd2ps xmm2, ymm0                    #  18         floating_point; floating point 4
    vcvtdq2ps ymm2, ymm0                    #  19         floating_point; floating point 8
    vandps  ymm2, ymm0, ymm1                #  20         integer; integer 8
    vxorps  ymm3, ymm3, ymm3                #  21         integer
    vxorpd  ymm3, ymm0, ymm1                #  22         integer; integer 4
    vtestps ymm0, ymm1                      #  23         integer; integer 8
    vpaddd  xmm2, xmm0, xmm1                #  24         integer; integer 4
    vpxor   xmm3, xmm0, xmm0                #  25         integer
    vpand   xmm3, xmm0, xmm1                #  26         integer; integer 4
    vmaskmovps ymm4, ymm3, [rsi]            #  27         load
    vmaskmovps [rsi], ymm3, ymm4            #  28         store
    vbroadcastss ymm4, [rsi]                #  29         load
    vperm2f128 ymm4, ymm0, ymm1, 1          #  30         other
    vshufps ymm4, ymm0, ymm1, 0             #  31         other
    vblendvps ymm4, ymm0, [rsi], ymm1       #  32         load
    vinsertf128 ymm4, ymm0, xmm1, 1         #  33         other
    vextractf128 [rsi], ymm4, 1             #  34         store
    vmovmskps eax, ymm4                     #  35         other
    vmovapd [rsi], ymm4                     #  36         store
    vzeroupper                              #  37         other
    mov     eax, 60                         #  38         other
    xor     edi, edi                        #  39         integer
    syscall                                 #  40         branch
    .data
    .balign 32
numbers:
    .rept   16
    .long   0x3f800000
    .endr
