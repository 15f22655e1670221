/* tenants: serves two tenants, each in a region of its own; "green" twice as much as "blue". */
#include "bops/region.h"
#include "known_work.h"

static void serve(const char* tenant, uint64_t tokens) {
  bops_region_begin(tenant);
  known_work(tokens * 10000);
  bops_work("tokens", tokens);
  bops_region_end();
}

int main(void) {
  known_work(50000);
  for (int i = 0; i < 2; ++i) {
    serve("tenant=blue", 5);
    serve("tenant=green", 10);
  }
  return 0;
}
