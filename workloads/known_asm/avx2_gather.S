# AVX2 integer lanes, and gathers: one load and one subscript, whatever the lanes.
#
# expect: instructions=29 loads=8 stores=1 branches=1 bops_formula=19 integer=172 floating_point=0 address=5
# class: branch=1 load=7 store=1 load_store=0 floating_point=0 integer=15 other=5
# needs: avx2
# exit: 0
    .intel_syntax noprefix
    .globl  _start
    .text
_start:
    lea     rsi, [rip + numbers]            #   1         integer; address 1
    vpcmpeqd ymm5, ymm5, ymm5               #   2         integer; integer 8
    vpxor   ymm1, ymm1, ymm1                #   3         integer
    vpaddd  ymm2, ymm5, [rsi]               #   4         integer, loads; integer 8
    vpaddb  ymm2, ymm2, ymm5                #   5         integer; integer 32
    vpmullw ymm2, ymm2, ymm5                #   6         integer; integer 16
    vpmuldq ymm2, ymm2, ymm5                #   7         integer; integer 4
    vpmaddubsw ymm2, ymm2, ymm5             #   8         integer; integer 48
    vpsllvq ymm2, ymm2, ymm5                #   9         integer; integer 4
    vpand   ymm2, ymm2, ymm5                #  10         integer; integer 8
    vpminub ymm2, ymm2, ymm5                #  11         integer; integer 32
    vpgatherdd ymm0, [rsi + ymm1*4], ymm5   #  12         load; address 1
    vpcmpeqd ymm5, ymm5, ymm5               #  13         integer; integer 8
    vgatherdps ymm3, [rsi + ymm1*4], ymm5   #  14         load; address 1
    vpcmpeqq ymm5, ymm5, ymm5               #  15         integer; integer 4
    vgatherqpd ymm3, [rsi + ymm1*8], ymm5   #  16         load; address 1
    vpxor   ymm5, ymm5, ymm5                #  17         integer
    vpgatherqq ymm3, [rsi + ymm1*8], ymm5   #  18         load; address 1
    vpermd  ymm3, ymm1, [rsi]               #  19         load
    vpermq  ymm3, ymm1, 27                  #  20         other
    vpbroadcastd ymm3, [rsi]                #  21         load
    vpblendd ymm3, ymm1, ymm2, 15           #  22         other
    vpmovsxbw ymm3, xmm1                    #  23         other
    vpmaskmovd [rsi], ymm1, ymm3            #  24         store
    vpmaskmovq ymm3, ymm1, [rsi]            #  25         load
    vzeroupper                              #  26         other
    mov     eax, 60                         #  27         other
    xor     edi, edi                        #  28         integer
    syscall                                 #  29         branch
    .data
    .balign 32
numbers:
    .rept   16
    .long   2
    .endr
