#include <bops/region.h>
#include <stdio.h>

int main(void) {
  bops_region_begin("region");
  bops_work("units", 1);
  bops_region_end();
  puts("done");
  return 0;
}
