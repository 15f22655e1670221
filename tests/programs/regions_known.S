# Regions whose instructions are known to the digit: begun and ended by the system call itself
# (collectors/region/region_protocol.h), without the library, whose code depends on the compiler.
# The call that begins a region is outside, the one that ends it inside. Instructions are numbered in
# the region that they belong to.
    .intel_syntax noprefix
    .set    gettid, 186
    .set    magic, 0x6765722d73706f62
    .set    operation_begin, 1
    .set    operation_end, 2
    .set    operation_work, 3
    .text

# void leaf_region(const char* name, uint64_t n): n > 0.
# Inside: 2n + 7 instructions, 1 load, 1 store, n + 1 branches, n integer operations.
# Outside: 7 instructions, 1 load, 2 branches.
    .globl  leaf_region
    .type   leaf_region, @function
leaf_region:
    mov     rdx, rdi                        # outside 1
    mov     r8, rsi                         # outside 2
    movabs  rdi, magic                      # outside 3
    mov     esi, operation_begin            # outside 4
    mov     eax, gettid                     # outside 5
    syscall                                 # outside 6     branch
    mov     [rsp - 8], r8                   # 1             store
    mov     rcx, [rsp - 8]                  # 2             load
1:  dec     rcx                             # 2 + n         integer 1
    jnz     1b                              # 2 + 2n        branch
    movabs  rdi, magic                      # 3 + 2n
    mov     esi, operation_end              # 4 + 2n
    mov     eax, gettid                     # 5 + 2n
    nop                                     # 6 + 2n
    syscall                                 # 7 + 2n        branch
    ret                                     # outside 7     load, branch

# void outer_region(const char* name, uint64_t n, const char* inner, uint64_t m, uint64_t times):
# n, m, times > 0; `times` leaf regions in it.
# Inside, what is inside the leaf regions left out: 2n + 6 + 12 times instructions (7 of each 12 in
# the leaf's code), 1 + times loads, 1 + times stores, n + 1 + 4 times branches, n + times integer
# operations.
    .globl  outer_region
    .type   outer_region, @function
outer_region:
    push    rbx                             # outside
    push    r12                             # outside
    push    r13                             # outside
    push    r14                             # outside
    mov     rbx, rsi                        # outside
    mov     r12, rdx                        # outside
    mov     r13, rcx                        # outside
    mov     r14, r8                         # outside
    mov     rdx, rdi                        # outside
    movabs  rdi, magic                      # outside
    mov     esi, operation_begin            # outside
    mov     eax, gettid                     # outside
    syscall                                 # outside
1:  dec     rbx                             # n             integer 1
    jnz     1b                              # 2n            branch
    push    r14                             # 2n + 1        store
    pop     r14                             # 2n + 2        load
2:  mov     rdi, r12                        # times * 1
    mov     rsi, r13                        # times * 2
    call    leaf_region                     # times * 3     store, branch
    dec     r14                             # times * 4     integer 1
    jnz     2b                              # times * 5     branch
    movabs  rdi, magic                      # 2n + 3
    mov     esi, operation_end              # 2n + 4
    mov     eax, gettid                     # 2n + 5
    syscall                                 # 2n + 6        branch
    pop     r14                             # outside
    pop     r13                             # outside
    pop     r12                             # outside
    pop     rbx                             # outside
    ret                                     # outside

# void recursive_region(const char* name, uint64_t depth): the region `depth` times inside itself.
# Inside the outermost, which is entered depth + 1 times: 18 depth + 6 instructions, 2 depth loads,
# 2 depth stores, 5 depth + 2 branches, depth + 1 integer and depth address operations.
    .globl  recursive_region
    .type   recursive_region, @function
recursive_region:
    push    rbx                             # around 1      store
    mov     rbx, rsi                        # around 2
    mov     rdx, rdi                        # around 3
    movabs  rdi, magic                      # around 4
    mov     esi, operation_begin            # around 5
    mov     eax, gettid                     # around 6
    syscall                                 # around 7      branch
    test    rbx, rbx                        # 1             integer 1
    jz      1f                              # 2             branch
    mov     rdi, rdx                        # 3 (if deeper)
    lea     rsi, [rbx - 1]                  # 4 (if deeper) address 1
    call    recursive_region                # 5 (if deeper) store, branch
1:  movabs  rdi, magic                      # 6
    mov     esi, operation_end              # 7
    mov     eax, gettid                     # 8
    syscall                                 # 9             branch
    pop     rbx                             # around 8      load
    ret                                     # around 9      load, branch

# void work_region(const char* name, const char* unit, uint64_t amount): 7 instructions, 2 branches.
    .globl  work_region
    .type   work_region, @function
work_region:
    mov     r8, rsi                         # outside
    mov     r10, rdx                        # outside
    mov     rdx, rdi                        # outside
    movabs  rdi, magic                      # outside
    mov     esi, operation_begin            # outside
    mov     eax, gettid                     # outside
    syscall                                 # outside
    mov     rdx, r8                         # 1
    mov     esi, operation_work             # 2
    mov     eax, gettid                     # 3
    syscall                                 # 4             branch
    mov     esi, operation_end              # 5
    mov     eax, gettid                     # 6
    syscall                                 # 7             branch
    ret                                     # outside

    .section .note.GNU-stack, "", @progbits
