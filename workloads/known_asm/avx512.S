# AVX-512: masks do not change a count, a broadcast operand has all lanes.
#
# expect: instructions=52 loads=10 stores=5 branches=1 bops_formula=36 integer=116 floating_point=184 address=5
# class: branch=1 load=6 store=5 load_store=0 floating_point=13 integer=16 other=11
# needs: avx512f
# exit: 0
    .intel_syntax noprefix
    .globl  _start
    .text
_start:
    lea     rsi, [rip + numbers]            #   1         integer; address 1
    mov     ecx, 1                          #   2         other
    mov     eax, 0x5555                     #   3         other
    kmovw   k1, eax                         #   4         other
    kxnorw  k2, k1, k1                      #   5         integer; integer 1
    kxorw   k3, k1, k1                      #   6         integer
    kandw   k3, k1, k2                      #   7         integer; integer 1
    kortestw k3, k3                         #   8         integer; integer 1
    kshiftlw k3, k3, 1                      #   9         integer; integer 1
    vmovups zmm0, [rsi]                     #  10         load
    vmovups zmm1, [rsi + rcx*4]             #  11         load; address 1
    vaddps  zmm2, zmm0, zmm1                #  12         floating_point; floating point 16
    vaddps  zmm2{k1}, zmm0, zmm1            #  13         floating_point; floating point 16
    vaddpd  zmm2{k1}{z}, zmm0, zmm1         #  14         floating_point; floating point 8
    vmulps  zmm2, zmm0, [rsi]{1to16}        #  15         floating_point, loads; floating point 16
    vmulpd  zmm2, zmm0, [rsi + rcx*8]{1to8} #  16         floating_point, loads; floating point 8, address 1
    vfmadd231ps zmm2, zmm0, zmm1            #  17         floating_point; floating point 32
    vfmadd231pd zmm2{k1}, zmm0, [rsi]{1to8} #  18         floating_point, loads; floating point 16
    vaddps  zmm2, zmm0, zmm1, {rn-sae}      #  19         floating_point; floating point 16
    vcmpps  k3, zmm0, zmm1, 1               #  20         floating_point; floating point 16
    vcvtps2pd zmm2, ymm0                    #  21         floating_point; floating point 8
    vcvtpd2ps ymm2, zmm0                    #  22         floating_point; floating point 8
    vrndscaleps zmm2, zmm0, 1               #  23         floating_point; floating point 16
    vgetexppd zmm2, zmm0                    #  24         floating_point; floating point 8
    vpaddd  zmm2, zmm0, zmm1                #  25         integer; integer 16
    vpaddq  zmm2{k1}, zmm0, [rsi]{1to8}     #  26         integer, loads; integer 8
    vpandd  zmm2, zmm0, zmm1                #  27         integer; integer 16
    vpxorq  zmm2, zmm0, zmm1                #  28         integer; integer 8
    vpxord  zmm3, zmm0, zmm0                #  29         integer
    vpternlogd zmm2, zmm0, zmm1, 0x96       #  30         integer; integer 16
    vpcmpeqd k3, zmm0, zmm1                 #  31         integer; integer 16
    vptestmd k3, zmm0, zmm1                 #  32         integer; integer 16
    vprold  zmm2, zmm0, 3                   #  33         integer; integer 16
    vmovups [rsi]{k1}, zmm2                 #  34         store
    vmovups zmm2{k1}{z}, [rsi]              #  35         load
    vmovdqa32 zmm2{k1}, zmm1                #  36         other
    vpcompressd [rsi]{k1}, zmm2             #  37         store
    vpexpandd zmm2{k1}, [rsi]               #  38         load
    vpmovdb xmm2, zmm1                      #  39         other
    vpmovdb [rsi], zmm1                     #  40         store
    vpermd  zmm2, zmm1, zmm0                #  41         other
    vpermt2d zmm2, zmm1, [rsi]              #  42         load
    vpbroadcastd zmm2, eax                  #  43         other
    vpblendmd zmm2{k1}, zmm0, zmm1          #  44         other
    vgatherdps zmm2{k1}, [rsi + zmm3*4]     #  45         load; address 1
    kmovw   k1, eax                         #  46         other
    vscatterdps [rsi + zmm3*4]{k1}, zmm2    #  47         store; address 1
    kmovw   [rsi], k2                       #  48         store
    vzeroupper                              #  49         other
    mov     eax, 60                         #  50         other
    xor     edi, edi                        #  51         integer
    syscall                                 #  52         branch
    .data
    .balign 64
numbers:
    .rept   64
    .long   0x3f800000
    .endr
