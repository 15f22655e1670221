# Holds known values in every register, and in the flags, across transfers of every kind, while a
# handler that overwrites them all is called 10 000 times a second; exits with 1 if one has changed.
#
#   register_check          kRounds rounds under the timer; writes how often the handler ran, 8 bytes
#   register_check x        20 rounds without a timer
#   register_check x x      40 rounds without a timer
#
# A run of the handler, its restorer included, is 24 instructions, and one for each vector and mask
# register that there is.
    .intel_syntax noprefix
    .set    kRounds, 400000
    .set    kArithmetic, 0x8d5      # carry, parity, adjust, zero, sign, overflow
    .globl  _start

    .macro  each_gpr action
    .irp    reg, rax, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
    \action \reg
    .endr
    .endm
    .macro  load_gpr reg
    mov     \reg, [rip + pattern_\reg]
    .endm
    .macro  save_gpr reg
    mov     [rip + saved_\reg], \reg
    .endm
    .macro  clear_gpr reg
    lea     \reg, [rip + cell]
    .endm
    .macro  fail_unless_equal
    jne     failed
    .endm

# One pass over all transfers, with the flags `flags` from popfq on.
    .macro  section flags
    call    [rip + load_vectors]
    each_gpr load_gpr
    push    \flags
    popfq
    jmp     [rip + 7f]
    .section .data.rel.ro, "aw"
7:  .quad   1f
    .text
1:  call    leaf
    call    [rip + leaf_address]
    jrcxz   8f
    jc      2f
    nop
2:  jz      3f
    lea     rsp, [rsp - 8]
    lea     rsp, [rsp + 8]
3:  jo      4f
    push    rax
    pop     rax
4:  call    nested
    loop    5f                      # rcx comes back below
    ud2
5:  lea     rcx, [rcx + 1]
    jmp     6f
8:  ud2
6:  pushfq
    pop     [rip + saved_flags]
    call    [rip + store_vectors]
    each_gpr save_gpr
    cld
    lea     rsi, [rip + pattern]
    lea     rdi, [rip + saved]
    mov     ecx, 15
    repe cmpsq
    fail_unless_equal
    lea     rsi, [rip + vectors]
    lea     rdi, [rip + saved_vectors]
    mov     ecx, [rip + vector_quads]
    repe cmpsq
    fail_unless_equal
    mov     eax, [rip + saved_flags]
    and     eax, kArithmetic
    cmp     eax, \flags & kArithmetic
    fail_unless_equal
    stmxcsr [rip + saved_mxcsr]
    cmp     dword ptr [rip + saved_mxcsr], 0x5f80
    fail_unless_equal
    cmp     qword ptr fs:0, 0x5eed
    fail_unless_equal
    .endm

    .text
_start:
    mov     rax, [rsp]
    mov     [rip + arguments], rax
    mov     eax, 158                # arch_prctl(ARCH_SET_FS, &cell)
    mov     edi, 0x1002
    lea     rsi, [rip + cell]
    syscall
    call    choose_vectors
    fninit
    fldpi
    ldmxcsr [rip + upwards]
    mov     eax, 13                 # rt_sigaction(SIGALRM, &action, 0, 8)
    mov     edi, 14
    lea     rsi, [rip + action]
    xor     edx, edx
    mov     r10d, 8
    syscall
    # The same instructions whether there is a timer or not: only its interval differs.
    cmp     qword ptr [rip + arguments], 1
    mov     ecx, 20
    mov     edx, 40
    cmp     qword ptr [rip + arguments], 3
    cmove   ecx, edx
    mov     edx, kRounds
    xor     esi, esi
    mov     edi, 100
    cmp     qword ptr [rip + arguments], 1
    cmove   ecx, edx
    cmove   esi, edi
    mov     [rip + rounds], rcx
    mov     [rip + interval + 8], rsi
    mov     [rip + interval + 24], rsi
    mov     eax, 38                 # setitimer(ITIMER_REAL, &interval, 0)
    xor     edi, edi
    lea     rsi, [rip + interval]
    xor     edx, edx
    syscall
again:
    section 0x8d7
    section 0x002
    dec     qword ptr [rip + rounds]
    jnz     again
    mov     eax, 38                 # setitimer(ITIMER_REAL, &never, 0)
    xor     edi, edi
    lea     rsi, [rip + never]
    xor     edx, edx
    syscall
    fldpi                           # the first one is still there, and is the same
    fucomip st, st(1)
    jne     failed
    jp      failed
    mov     eax, 1                  # write(1, &runs, 8)
    mov     edi, 1
    lea     rsi, [rip + runs]
    mov     edx, 8
    syscall
    xor     edi, edi
    mov     eax, 60
    syscall
failed:
    mov     edi, 1
    mov     eax, 60
    syscall

leaf:
    ret
nested:
    call    leaf
    jmp     [rip + leaf_address]

    .macro  each_of register, last, action
    .set    number, 0
    .rept   \last + 1
    \action \register, %number
    .set    number, number + 1
    .endr
    .endm
    .altmacro
    .macro  load_vector register, number
    vmovdqu64 \register&\number, [rip + vectors + 64 * \number]
    .endm
    .macro  store_vector register, number
    vmovdqu64 [rip + saved_vectors + 64 * \number], \register&\number
    .endm
    .macro  clear_vector register, number
    vpternlogd \register&\number, \register&\number, \register&\number, 0xff
    .endm
    .macro  load_ymm register, number
    vmovdqu \register&\number, [rip + vectors + 32 * \number]
    .endm
    .macro  store_ymm register, number
    vmovdqu [rip + saved_vectors + 32 * \number], \register&\number
    .endm
    .macro  clear_ymm register, number
    vpcmpeqd \register&\number, ymm0, ymm0
    .endm
    .macro  load_xmm register, number
    movdqu  \register&\number, [rip + vectors + 16 * \number]
    .endm
    .macro  store_xmm register, number
    movdqu  [rip + saved_vectors + 16 * \number], \register&\number
    .endm
    .macro  clear_xmm register, number
    pcmpeqd \register&\number, xmm0
    .endm
    .macro  load_mask register, number
    kmovq   \register&\number, [rip + vectors + 2048 + 8 * \number]
    .endm
    .macro  store_mask register, number
    kmovq   [rip + saved_vectors + 2048 + 8 * \number], \register&\number
    .endm
    .macro  clear_mask register, number
    kxnorq  \register&\number, \register&\number, \register&\number
    .endm

load_512:
    each_of zmm, 31, load_vector
    each_of k, 7, load_mask
    ret
store_512:
    each_of zmm, 31, store_vector
    each_of k, 7, store_mask
    ret
load_256:
    each_of ymm, 15, load_ymm
    ret
store_256:
    each_of ymm, 15, store_ymm
    ret
load_128:
    each_of xmm, 15, load_xmm
    ret
store_128:
    each_of xmm, 15, store_xmm
    ret

handler:
    inc     qword ptr [rip + runs]          # 1
    each_gpr clear_gpr                      # 16
    ldmxcsr [rip + usual]                   # 17
    jmp     [rip + clear_vectors]           # 18
clear_512:
    each_of zmm, 31, clear_vector
    each_of k, 7, clear_mask
    jmp     cleared
clear_256:
    each_of ymm, 15, clear_ymm
    jmp     cleared
clear_128:
    each_of xmm, 15, clear_xmm
    jmp     cleared                         # 19
cleared:
    fld1                                    # 20
    cmp     rax, -2                         # 21
    ret                                     # 22
restorer:
    mov     eax, 15                         # 23  rt_sigreturn
    syscall                                 # 24

# Which registers there are: the 512-bit ones, the 256-bit ones or the 128-bit ones.
choose_vectors:
    mov     eax, 1
    cpuid
    bt      ecx, 27                 # OSXSAVE
    jnc     1f
    xor     ecx, ecx
    xgetbv
    mov     r8d, eax
    mov     eax, 7
    xor     ecx, ecx
    cpuid
    bt      ebx, 5                  # AVX2
    jnc     1f
    and     r8d, 0xe6
    mov     eax, r8d
    and     eax, 6
    cmp     eax, 6
    jne     1f
    lea     r9, [rip + load_256]
    lea     r10, [rip + store_256]
    lea     r11, [rip + clear_256]
    mov     edx, 16 * 4
    cmp     r8d, 0xe6
    jne     2f
    bt      ebx, 16                 # AVX-512 F
    jnc     2f
    bt      ebx, 30                 # and BW, for 64-bit masks
    jnc     2f
    lea     r9, [rip + load_512]
    lea     r10, [rip + store_512]
    lea     r11, [rip + clear_512]
    mov     edx, 32 * 8 + 8
    jmp     2f
1:  lea     r9, [rip + load_128]
    lea     r10, [rip + store_128]
    lea     r11, [rip + clear_128]
    mov     edx, 16 * 2
2:  mov     [rip + load_vectors], r9
    mov     [rip + store_vectors], r10
    mov     [rip + clear_vectors], r11
    mov     [rip + vector_quads], edx
    ret

    .section .data.rel.ro, "aw"
    .balign 8
leaf_address:
    .quad   leaf
    .data
    .balign 8
action:
    .quad   handler, 0x04000000, restorer, 0
interval:
    .quad   0, 0, 0, 0
never:
    .quad   0, 0, 0, 0
cell:
    .quad   0x5eed
upwards:
    .long   0x5f80                  # rounding upwards
usual:
    .long   0x1f80
    .balign 64
pattern:
    .macro  pattern_of reg
pattern_&reg:
    .quad   0x0123456789abcdef + 0x0101010101010101 * seed
    .set    seed, seed + 1
    .endm
    .set    seed, 1
    each_gpr pattern_of
    .balign 64
vectors:
    .set    seed, 1
    .rept   32 * 8 + 8
    .quad   0x0f1e2d3c4b5a6978 ^ (seed * 0x0001000300070009)
    .set    seed, seed + 1
    .endr
    .bss
    .balign 64
saved_vectors:
    .skip   2048 + 64
saved:
    .macro  room_for reg
saved_&reg:
    .skip   8
    .endm
    each_gpr room_for
saved_flags:
    .skip   8
saved_mxcsr:
    .skip   8
arguments:
    .skip   8
rounds:
    .skip   8
runs:
    .skip   8
load_vectors:
    .skip   8
store_vectors:
    .skip   8
clear_vectors:
    .skip   8
vector_quads:
    .skip   8
