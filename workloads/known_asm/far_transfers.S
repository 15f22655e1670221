# Far transfers that user mode may make, within the same code segment.
#
# expect: instructions=26 loads=5 stores=11 branches=6 bops_formula=4 integer=0 floating_point=0 address=5
# class: branch=6 load=0 store=10 load_store=0 floating_point=0 integer=6 other=4
# exit: 0
    .intel_syntax noprefix
    .globl  _start
    .text
_start:
    mov     eax, cs                         #   1         other
    push    rax                             #   2         store
    lea     rbx, [rip + after_return]       #   3         integer; address 1
    push    rbx                             #   4         store
    retfq                                   #   5         branch, loads
    ud2                                     # not reached
after_return:
    mov     ecx, ss                         #   6         other
    mov     rdx, rsp                        #   7         other
    push    rcx                             #   8         store
    push    rdx                             #   9         store
    pushfq                                  #  10         store
    push    rax                             #  11         store
    lea     rbx, [rip + after_iret]         #  12         integer; address 1
    push    rbx                             #  13         store
    iretq                                   #  14         branch, loads
    ud2                                     # not reached
after_iret:
    lea     rbx, [rip + far_pointer]        #  15         integer; address 1
    lea     rdx, [rip + after_jump]         #  16         integer; address 1
    mov     [rbx], edx                      #  17         store
    mov     [rbx + 4], ax                   #  18         store
    jmp     fword ptr [rbx]                 #  19         branch, loads
    ud2                                     # not reached
after_jump:
    lea     rdx, [rip + far_function]       #  20         integer; address 1
    mov     [rbx], edx                      #  21         store
    call    fword ptr [rbx]                 #  22         branch, loads and stores
    mov     eax, 60                         #  23         other
    xor     edi, edi                        #  24         integer
    syscall                                 #  25         branch
far_function:                               # retf with 32-bit operands, as the far call had
    .byte   0xcb                            #  26         branch, loads
    .bss
    .balign 8
far_pointer:
    .skip   16
