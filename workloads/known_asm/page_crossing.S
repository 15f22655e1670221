# A loop whose body lies on both sides of a page boundary, within one instruction.
#
# expect: instructions=46 loads=0 stores=0 branches=12 bops_formula=34 integer=20 floating_point=0 address=0
# class: branch=12 load=0 store=0 load_store=0 floating_point=0 integer=22 other=12
# exit: 0
    .intel_syntax noprefix
    .globl  _start
    .text
_start:
    mov     ecx, 10                         #   1         other
    xor     eax, eax                        #   2         integer
    jmp     body                            #   3         branch
    .balign 4096
    .skip   4096 - 5, 0x90
body:
    movabs  rdx, 0x1122334455667788         #  13 (x 10)  other
    add     rax, rdx                        #  23 (x 10)  integer; integer 1
    dec     ecx                             #  33 (x 10)  integer; integer 1
    jnz     body                            #  43 (x 10)  branch
    mov     eax, 60                         #  44         other
    xor     edi, edi                        #  45         integer
    syscall                                 #  46         branch
