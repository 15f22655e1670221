# Calls and returns: nested, recursive, indirect through a register and through memory.
#
# expect: instructions=59 loads=17 stores=15 branches=37 bops_formula=-10 integer=15 floating_point=0 address=4
# class: branch=37 load=0 store=1 load_store=0 floating_point=0 integer=18 other=3
# exit: 0
    .intel_syntax noprefix
    .globl  _start
    .text
_start:
    call    outer                           #   1         branch, stores
    lea     rbx, [rip + leaf]               #   2         integer; address 1
    call    rbx                             #   3         branch, stores
    call    [rip + table]                   #   4         branch, loads and stores
    lea     rbx, [rip + table]              #   5         integer; address 1
    mov     ecx, 1                          #   6         other
    call    [rbx + rcx*8]                   #   7         branch, loads and stores; address 1
    jmp     [rbx + 16]                      #   8         branch, loads
    ud2                                     # not reached
landing:
    lea     rbx, [rip + next]               #   9         integer; address 1
    jmp     rbx                             #  10         branch
    ud2                                     # not reached
next:
    mov     edi, 5                          #  11         other
    call    recurse                         #  12         branch, stores
    push    9                               #  13         store
    call    pops_argument                   #  14         branch, stores
    mov     eax, 60                         #  15         other
    syscall                                 #  16         branch
outer:
    call    middle                          #  17         branch, stores
    call    leaf                            #  18         branch, stores
    ret                                     #  19         branch, loads
middle:
    call    leaf                            #  20         branch, stores
    ret                                     #  21         branch, loads
leaf:
    inc     eax                             #  25 (x 4)   integer; integer 1
    ret                                     #  29 (x 4)   branch, loads
recurse:
    test    edi, edi                        #  35 (x 6)   integer; integer 1
    jz      bottom                          #  41 (x 6)   branch
    dec     edi                             #  46 (x 5)   integer; integer 1
    call    recurse                         #  51 (x 5)   branch, stores
bottom:
    ret                                     #  57 (x 6)   branch, loads
pops_argument:
    ret     8                               #  58         branch, loads
    .section .data.rel.ro, "aw"
    .balign 8
table:
    .quad   leaf, middle_of_table, landing
    .text
middle_of_table:
    ret                                     #  59         branch, loads
