# Every form of address. An index register is one address operation, lea is one whatever its form.
#
# expect: instructions=40 loads=24 stores=5 branches=1 bops_formula=10 integer=3 floating_point=0 address=25
# class: branch=1 load=19 store=2 load_store=2 floating_point=0 integer=13 other=3
# exit: 0
    .intel_syntax noprefix
    .globl  _start
    .text
_start:
    lea     rbx, [rip + area]               #   1         integer; address 1
    mov     ecx, 2                          #   2         other
    mov     r13, rbx                        #   3         other
    xor     ebp, ebp                        #   4         integer
    mov     eax, [rbx]                      #   5         load
    mov     eax, [rbx + 4]                  #   6         load
    mov     eax, [rbx + 256]                #   7         load
    mov     eax, [rbx + rcx]                #   8         load; address 1
    mov     eax, [rbx + rcx*2]              #   9         load; address 1
    mov     eax, [rbx + rcx*4]              #  10         load; address 1
    mov     eax, [rbx + rcx*8 + 8]          #  11         load; address 1
    mov     eax, [rbx + rcx*8 + 256]        #  12         load; address 1
    mov     eax, [r13]                      #  13         load
    mov     eax, [rbp + rcx*1 + area]       #  14         load; address 1
    mov     eax, [area + rcx*4]             #  15         load; address 1
    mov     eax, [area]                     #  16         load
    movabs  eax, ds:area                    #  17         load
    mov     eax, [rip + area]               #  18         load
    mov     eax, [rsp]                      #  19         load
    mov     eax, [rsp + rcx*8 - 8]          #  20         load; address 1
    mov     eax, [ebx]                      #  21         load
    mov     eax, [ebx + ecx*4]              #  22         load; address 1
    mov     [rbx + rcx*4], eax              #  23         store; address 1
    mov     qword ptr [rbx + rcx*8], 1      #  24         store; address 1
    add     eax, [rbx + rcx]                #  25         integer, loads; integer 1, address 1
    add     [rbx + rcx], eax                #  26         integer, loads and stores; integer 1, address 1
    cmp     byte ptr [rbx + rcx], 0         #  27         integer, loads; integer 1, address 1
    movzx   eax, byte ptr [rbx + rcx]       #  28         load; address 1
    lea     rax, [rbx]                      #  29         integer; address 1
    lea     rax, [rbx + 8]                  #  30         integer; address 1
    lea     rax, [rbx + rcx]                #  31         integer; address 1
    lea     rax, [rbx + rcx*8 + 8]          #  32         integer; address 1
    lea     rax, [rcx*8]                    #  33         integer; address 1
    lea     eax, [rcx + rcx*2]              #  34         integer; address 1
    lea     rax, [rip + area]               #  35         integer; address 1
    push    qword ptr [rbx + rcx*8]         #  36         load_store; address 1
    pop     qword ptr [rbx + rcx*8]         #  37         load_store; address 1
    mov     eax, 60                         #  38         other
    xor     edi, edi                        #  39         integer
    syscall                                 #  40         branch
    .bss
    .balign 16
area:
    .skip   1024
