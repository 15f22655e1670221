/* Loops of known counts, to be counted by hardware that is to be trusted: known_loops.S, where each
   instruction is numbered. */
#ifndef BOPS_KNOWN_LOOPS_H
#define BOPS_KNOWN_LOOPS_H

#include <stdint.h>

/* What one round executes, and what the call executes besides, the call instruction aside. */
#define BOPS_KNOWN_LOOPS_INSTRUCTIONS 14
#define BOPS_KNOWN_LOOPS_LOADS 3
#define BOPS_KNOWN_LOOPS_STORES 2
#define BOPS_KNOWN_LOOPS_BRANCHES 4
#define BOPS_KNOWN_LOOPS_BESIDES_INSTRUCTIONS 4
#define BOPS_KNOWN_LOOPS_BESIDES_LOADS 1
#define BOPS_KNOWN_LOOPS_BESIDES_STORES 0
#define BOPS_KNOWN_LOOPS_BESIDES_BRANCHES 1

#ifdef __cplusplus
extern "C" {
#endif

/* At least one round. Reads and writes the three cells. */
void bops_known_loops(uint64_t rounds, uint64_t cells[3]);

#ifdef __cplusplus
}
#endif

#endif
