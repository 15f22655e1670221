# The stack: pushes are stores, pops are loads, push [m] and pop [m] are both.
#
# expect: instructions=28 loads=9 stores=11 branches=1 bops_formula=7 integer=1 floating_point=0 address=0
# class: branch=1 load=7 store=9 load_store=2 floating_point=0 integer=6 other=3
# exit: 0
    .intel_syntax noprefix
    .globl  _start
    .text
_start:
    push    rax                             #   1         store
    push    7                               #   2         store
    push    0x12345                         #   3         store
    push    qword ptr [rip + cell]          #   4         load_store
    pop     qword ptr [rip + cell]          #   5         load_store
    pop     rbx                             #   6         load
    pop     rcx                             #   7         load
    pop     rax                             #   8         load
    pushfq                                  #   9         store
    popfq                                   #  10         load
    push    r12                             #  11         store
    push    r13                             #  12         store
    mov     rax, [rsp + 8]                  #  13         load
    add     rsp, 16                         #  14         integer
    sub     rsp, 32                         #  15         integer
    mov     [rsp], rax                      #  16         store
    lea     rsp, [rsp + 32]                 #  17         integer
    mov     rbp, rsp                        #  18         other
    and     rsp, -16                        #  19         integer
    push    rsp                             #  20         store
    pop     rax                             #  21         load
    cmp     rsp, rbp                        #  22         integer; integer 1
    mov     rsp, rbp                        #  23         other
    push    fs                              #  24         store
    pop     rdx                             #  25         load
    mov     eax, 60                         #  26         other
    xor     edi, edi                        #  27         integer
    syscall                                 #  28         branch
    .data
    .balign 8
cell:
    .quad   42
