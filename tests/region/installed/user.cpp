#include <bops/region.h>

#include <cstdio>

int main() {
  const bops::Region region("region");
  bops_work("units", 1);
  std::puts("done");
  return 0;
}
