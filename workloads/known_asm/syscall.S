# System calls are branches (far transfers), and what the kernel executes is not counted.
#
# expect: instructions=41 loads=5 stores=5 branches=14 bops_formula=17 integer=5 floating_point=0 address=1
# class: branch=14 load=5 store=5 load_store=0 floating_point=0 integer=6 other=11
# exit: 3
    .intel_syntax noprefix
    .globl  _start
    .text
_start:
    mov     eax, 39                         #   1         other
    syscall                                 #   2         branch
    mov     ecx, 5                          #   3         other
again:
    push    rcx                             #   8 (x 5)   store
    mov     eax, 186                        #  13 (x 5)   other
    syscall                                 #  18 (x 5)   branch
    pop     rcx                             #  23 (x 5)   load
    dec     ecx                             #  28 (x 5)   integer; integer 1
    jnz     again                           #  33 (x 5)   branch
    mov     eax, 63                         #  34         other
    lea     rdi, [rip + name]               #  35         integer; address 1
    syscall                                 #  36         branch
    mov     eax, -1                         #  37         other
    syscall                                 #  38         branch
    mov     eax, 231                        #  39         other
    mov     edi, 3                          #  40         other
    syscall                                 #  41         branch
    .bss
name:
    .skip   512
