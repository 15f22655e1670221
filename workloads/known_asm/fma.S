# Fused multiply-add: two operations per lane.
#
# expect: instructions=46 loads=10 stores=0 branches=9 bops_formula=27 integer=8 floating_point=212 address=2
# class: branch=9 load=1 store=0 load_store=0 floating_point=20 integer=10 other=6
# needs: fma
# exit: 0
    .intel_syntax noprefix
    .globl  _start
    .text
_start:
    lea     rsi, [rip + numbers]            #   1         integer; address 1
    mov     ecx, 8                          #   2         other
    vmovaps ymm0, [rsi]                     #   3         load
    vmovaps ymm1, ymm0                      #   4         other
    vmovaps ymm2, ymm0                      #   5         other
repeat:
    vfmadd231ps ymm0, ymm1, ymm2            #  13 (x 8)   floating_point; floating point 16
    vfnmadd213pd ymm1, ymm0, [rsi]          #  21 (x 8)   floating_point, loads; floating point 8
    dec     ecx                             #  29 (x 8)   integer; integer 1
    jnz     repeat                          #  37 (x 8)   branch
    mov     ecx, 1                          #  38         other
    vfmadd132ss xmm0, xmm1, xmm2            #  39         floating_point; floating point 2
    vfmsub231sd xmm0, xmm1, [rsi + rcx*8]   #  40         floating_point, loads; floating point 2, address 1
    vfmaddsub132ps xmm0, xmm1, xmm2         #  41         floating_point; floating point 8
    vfmsubadd213pd ymm0, ymm1, ymm2         #  42         floating_point; floating point 8
    vzeroupper                              #  43         other
    mov     eax, 60                         #  44         other
    xor     edi, edi                        #  45         integer
    syscall                                 #  46         branch
    .data
    .balign 32
numbers:
    .rept   8
    .long   0x3f800000
    .endr
