/* Regions by the thread's own hardware counters (region_area.h). Room-internal. */
#ifndef BOPS_COLLECTORS_REGION_REGION_COUNTERS_H
#define BOPS_COLLECTORS_REGION_REGION_COUNTERS_H

#include <stdint.h>

#define BOPS_REGION_HIDDEN __attribute__((visibility("hidden")))

/* Whether a bops that listens follows the calling thread. */
BOPS_REGION_HIDDEN int bops_region_counters_are_there(void);

/* Carries out an operation of region_protocol.h; `text` is not null where it takes one. 0: nobody
 * listens any more. */
BOPS_REGION_HIDDEN int bops_region_counters_tell(long operation, const char* text, uint64_t value);

#endif
