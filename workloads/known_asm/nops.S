# nop in its recommended lengths (Intel SDM volume 2, NOP) and longer: an instruction, and nothing
# besides, although the decoder shows a memory operand and an index.
#
# expect: instructions=17 loads=0 stores=0 branches=1 bops_formula=16 integer=0 floating_point=0 address=0
# class: branch=1 load=0 store=0 load_store=0 floating_point=0 integer=1 other=15
# exit: 0
    .intel_syntax noprefix
    .globl  _start
    .text
_start:
    nop                                     #   1         other
    .byte   0x66, 0x90                      #   2         other
    .byte   0x0f, 0x1f, 0x00                #   3         other
    .byte   0x0f, 0x1f, 0x40, 0x00          #   4         other
    .byte   0x0f, 0x1f, 0x44, 0x00, 0x00    #   5         other
    .byte   0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00 #   6         other
    .byte   0x0f, 0x1f, 0x80, 0, 0, 0, 0    #   7         other
    .byte   0x0f, 0x1f, 0x84, 0x00, 0, 0, 0, 0 #   8         other
    .byte   0x66, 0x0f, 0x1f, 0x84, 0x00, 0, 0, 0, 0 #   9         other
    .byte   0x66, 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0 #  10         other
    .byte   0x66, 0x66, 0x66, 0x66, 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0 #  11         other
    pause                                   #  12         other
    endbr64                                 #  13         other
    xchg    ax, ax                          #  14         other
    mov     eax, 60                         #  15         other
    xor     edi, edi                        #  16         integer
    syscall                                 #  17         branch
