/* Where the kernel enters the engine: RSP points at argc. */
        .text
        .globl  _start
        .hidden _start
        .type   _start, @function
_start:
        xorl    %ebp, %ebp
        movq    %rsp, %rdi
        andq    $-16, %rsp
        call    boot
        ud2
        .size   _start, . - _start
        .section .note.GNU-stack, "", @progbits
