# String instructions: with rep each is one instruction, however often it repeats, 0 included.
#
# expect: instructions=49 loads=16 stores=12 branches=1 bops_formula=20 integer=7 floating_point=0 address=7
# class: branch=1 load=3 store=6 load_store=6 floating_point=0 integer=15 other=18
# exit: 7
    .intel_syntax noprefix
    .globl  _start
    .text
_start:
    cld                                     #   1         other
    lea     rdi, [rip + target]             #   2         integer; address 1
    mov     eax, 0x41                       #   3         other
    mov     ecx, 100                        #   4         other
    rep stosb                               #   5         store
    mov     ecx, 10                         #   6         other
    rep stosw                               #   7         store
    mov     ecx, 10                         #   8         other
    rep stosd                               #   9         store
    mov     ecx, 10                         #  10         other
    rep stosq                               #  11         store
    lea     rsi, [rip + target]             #  12         integer; address 1
    lea     rdi, [rip + copy]               #  13         integer; address 1
    mov     ecx, 64                         #  14         other
    rep movsb                               #  15         load_store
    mov     ecx, 4                          #  16         other
    rep movsw                               #  17         load_store
    mov     ecx, 4                          #  18         other
    rep movsd                               #  19         load_store
    mov     ecx, 4                          #  20         other
    rep movsq                               #  21         load_store
    xor     ecx, ecx                        #  22         integer
    rep movsb                               #  23         load_store
    rep stosq                               #  24         store
    repe cmpsb                              #  25         integer, loads; integer 1
    repne scasb                             #  26         integer, loads; integer 1
    rep lodsd                               #  27         load
    movsb                                   #  28         load_store
    stosb                                   #  29         store
    lodsb                                   #  30         load
    cmpsb                                   #  31         integer, loads; integer 1
    scasb                                   #  32         integer, loads; integer 1
    lea     rsi, [rip + same]               #  33         integer; address 1
    lea     rdi, [rip + other]              #  34         integer; address 1
    mov     ecx, 16                         #  35         other
    repe cmpsb                              #  36         integer, loads; integer 1
    mov     edx, ecx                        #  37         other
    mov     ecx, 4                          #  38         other
    lea     rsi, [rip + same]               #  39         integer; address 1
    repne cmpsd                             #  40         integer, loads; integer 1
    lea     rdi, [rip + same]               #  41         integer; address 1
    mov     al, 0x35                        #  42         other
    mov     ecx, 16                         #  43         other
    repne scasb                             #  44         integer, loads; integer 1
    mov     ecx, 2                          #  45         other
    rep lodsq                               #  46         load
    mov     edi, edx                        #  47         other
    mov     eax, 60                         #  48         other
    syscall                                 #  49         branch
    .section .rodata
same:
    .ascii  "0123456789abcdef"
other:
    .ascii  "01234567XXabcdef"
    .skip   64
    .bss
target:
    .skip   512
copy:
    .skip   512
