# Jumps into the middle of a block that already ran, and into the middle of an instruction.
#
# expect: instructions=23 loads=0 stores=0 branches=5 bops_formula=18 integer=13 floating_point=0 address=0
# class: branch=5 load=0 store=0 load_store=0 floating_point=0 integer=15 other=3
# exit: 0
    .intel_syntax noprefix
    .globl  _start
    .text
_start:
    xor     ecx, ecx                        #   1         integer
    xor     eax, eax                        #   2         integer
whole:
    add     eax, 1                          #   3         integer; integer 1
    add     eax, 2                          #   4         integer; integer 1
middle:
    add     eax, 4                          #   7 (x 3)   integer; integer 1
    inc     ecx                             #  10 (x 3)   integer; integer 1
    cmp     ecx, 3                          #  13 (x 3)   integer; integer 1
    jne     middle                          #  16 (x 3)   branch
    jmp     inside + 2                      #  17         branch
inside:
    # As an instruction from its start: mov ax, 0xc0ff. From its third byte on: inc eax.
    .byte   0x66, 0xb8
    .byte   0xff, 0xc0                      #  18         integer; integer 1
    nop                                     #  19         other
    mov     edi, eax                        #  20         other
    sub     edi, 16                         #  21         integer; integer 1
    mov     eax, 60                         #  22         other
    syscall                                 #  23         branch
