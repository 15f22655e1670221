# enter is a load and a store, also at nesting level 0; leave is a load.
#
# expect: instructions=14 loads=5 stores=4 branches=1 bops_formula=4 integer=0 floating_point=0 address=0
# class: branch=1 load=3 store=2 load_store=2 floating_point=0 integer=2 other=4
# exit: 0
    .intel_syntax noprefix
    .globl  _start
    .text
_start:
    push    rbp                             #   1         store
    mov     rbp, rsp                        #   2         other
    sub     rsp, 32                         #   3         integer
    leave                                   #   4         load
    enter   32, 0                           #   5         load_store
    mov     [rbp - 8], rax                  #   6         store
    leave                                   #   7         load
    mov     rbp, rsp                        #   8         other
    enter   16, 2                           #   9         load_store
    mov     rsp, rbp                        #  10         other
    pop     rbp                             #  11         load
    mov     eax, 60                         #  12         other
    xor     edi, edi                        #  13         integer
    syscall                                 #  14         branch
