# Counted loops: a compare-and-branch pair is two instructions, fused or not.
#
# expect: instructions=475 loads=16 stores=0 branches=168 bops_formula=291 integer=298 floating_point=0 address=18
# class: branch=168 load=0 store=0 load_store=0 floating_point=0 integer=304 other=3
# exit: 6
    .intel_syntax noprefix
    .globl  _start
    .text
_start:
    mov     ecx, 100                        #   1         other
    xor     eax, eax                        #   2         integer
first:
    add     eax, ecx                        # 102 (x 100) integer; integer 1
    dec     ecx                             # 202 (x 100) integer; integer 1
    jnz     first                           # 302 (x 100) branch
    mov     ecx, 50                         # 303         other
second:
    inc     eax                             # 353 (x 50)  integer; integer 1
    loop    second                          # 403 (x 50)  branch
    lea     rsi, [rip + numbers]            # 404         integer; address 1
    xor     ecx, ecx                        # 405         integer
    xor     edx, edx                        # 406         integer
third:
    add     edx, [rsi + rcx*4]              # 422 (x 16)  integer, loads; integer 1, address 1
    inc     rcx                             # 438 (x 16)  integer; integer 1
    cmp     rcx, 16                         # 454 (x 16)  integer; integer 1
    jne     third                           # 470 (x 16)  branch
    xor     ecx, ecx                        # 471         integer
    jrcxz   taken                           # 472         branch
    nop                                     # not reached
taken:
    mov     eax, 60                         # 473         other
    lea     edi, [rdx - 130]                # 474         integer; address 1
    syscall                                 # 475         branch
    .section .rodata
    .balign 4
numbers:
    .long   1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
