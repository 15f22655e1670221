# SSE: scalars count one, vectors their lanes; logic is integer; shuffles and moves count nothing.
#
# expect: instructions=62 loads=8 stores=5 branches=1 bops_formula=48 integer=100 floating_point=47 address=3
# class: branch=1 load=5 store=5 load_store=0 floating_point=18 integer=19 other=14
# needs: sse4.1
# exit: 0
    .intel_syntax noprefix
    .globl  _start
    .text
_start:
    lea     rsi, [rip + numbers]            #   1         integer; address 1
    mov     ecx, 1                          #   2         other
    movaps  xmm0, [rsi]                     #   3         load
    movups  xmm1, [rsi + rcx*4]             #   4         load; address 1
    addps   xmm0, xmm1                      #   5         floating_point; floating point 4
    mulps   xmm0, [rsi]                     #   6         floating_point, loads; floating point 4
    subpd   xmm0, xmm1                      #   7         floating_point; floating point 2
    divsd   xmm0, xmm1                      #   8         floating_point; floating point 1
    addss   xmm0, [rsi + rcx*4]             #   9         floating_point, loads; floating point 1, address 1
    sqrtps  xmm2, xmm1                      #  10         floating_point; floating point 4
    maxpd   xmm2, xmm1                      #  11         floating_point; floating point 2
    cmpltps xmm2, xmm1                      #  12         floating_point; floating point 4
    ucomisd xmm2, xmm1                      #  13         floating_point; floating point 1
    haddps  xmm2, xmm1                      #  14         floating_point; floating point 4
    roundpd xmm2, xmm1, 1                   #  15         floating_point; floating point 2
    dpps    xmm2, xmm1, 0x7f                #  16         floating_point; floating point 5
    dppd    xmm2, xmm1, 0x33                #  17         floating_point; floating point 3
    cvtdq2ps xmm2, xmm1                     #  18         floating_point; floating point 4
    cvtps2pd xmm2, xmm1                     #  19         floating_point; floating point 2
    cvtsi2sd xmm2, ecx                      #  20         floating_point; floating point 1
    cvttsd2si eax, xmm2                     #  21         floating_point; floating point 1
    andps   xmm2, xmm1                      #  22         integer; integer 4
    orpd    xmm2, xmm1                      #  23         integer; integer 2
    xorps   xmm2, xmm2                      #  24         integer
    paddb   xmm2, xmm1                      #  25         integer; integer 16
    paddw   xmm2, xmm1                      #  26         integer; integer 8
    paddd   xmm2, [rsi]                     #  27         integer, loads; integer 4
    psubq   xmm2, xmm1                      #  28         integer; integer 2
    pmaddwd xmm2, xmm1                      #  29         integer; integer 12
    pmuludq xmm2, xmm1                      #  30         integer; integer 2
    psadbw  xmm2, xmm1                      #  31         integer; integer 16
    pand    xmm2, xmm1                      #  32         integer; integer 4
    pxor    xmm3, xmm3                      #  33         integer
    pcmpeqb xmm3, xmm1                      #  34         integer; integer 16
    pslld   xmm3, 2                         #  35         integer; integer 4
    pslldq  xmm3, 2                         #  36         other
    ptest   xmm3, xmm1                      #  37         integer; integer 4
    pshufd  xmm3, xmm1, 27                  #  38         other
    pshufb  xmm3, [rsi]                     #  39         load
    punpcklbw xmm3, xmm1                    #  40         other
    packsswb xmm3, xmm1                     #  41         other
    shufps  xmm3, xmm1, 0                   #  42         other
    blendps xmm3, xmm1, 5                   #  43         other
    pmovzxbw xmm3, xmm1                     #  44         other
    pmovmskb eax, xmm3                      #  45         other
    pinsrd  xmm3, ecx, 1                    #  46         other
    pextrd  [rsi], xmm3, 1                  #  47         store
    movd    eax, xmm3                       #  48         other
    movaps  [rsi], xmm3                     #  49         store
    movntdq [rsi + 16], xmm3                #  50         store
    movss   xmm4, [rsi]                     #  51         load
    movsd   [rsi], xmm4                     #  52         store
    movapd  xmm5, xmm4                      #  53         other
    paddw   mm0, mm1                        #  54         integer; integer 4
    pand    mm0, mm1                        #  55         integer; integer 2
    cvtpi2ps xmm5, mm0                      #  56         floating_point; floating point 2
    emms                                    #  57         other
    stmxcsr [rsi]                           #  58         store
    ldmxcsr [rsi]                           #  59         load
    mov     eax, 60                         #  60         other
    xor     edi, edi                        #  61         integer
    syscall                                 #  62         branch
    .data
    .balign 16
numbers:
    .long   0x3f800000, 0x40000000, 0x40400000, 0x40800000
    .long   0x3f800000, 0x40000000, 0x40400000, 0x40800000
