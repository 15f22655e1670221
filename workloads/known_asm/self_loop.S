# A block that jumps to itself, the shortest of loops, and one that is left at once.
#
# expect: instructions=2007 loads=0 stores=0 branches=1502 bops_formula=505 integer=500 floating_point=0 address=0
# class: branch=1502 load=0 store=0 load_store=0 floating_point=0 integer=501 other=4
# exit: 0
    .intel_syntax noprefix
    .globl  _start
    .text
_start:
    mov     ecx, 1000                       #   1         other
self:
    loop    self                            # 1001 (x 1000)branch
    mov     ecx, 1                          # 1002        other
once:
    loop    once                            # 1003        branch
    mov     ecx, 500                        # 1004        other
tight:
    dec     ecx                             # 1504 (x 500)integer; integer 1
    jnz     tight                           # 2004 (x 500)branch
    mov     eax, 60                         # 2005        other
    xor     edi, edi                        # 2006        integer
    syscall                                 # 2007        branch
