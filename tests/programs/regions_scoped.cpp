// regions_scoped: regions as long as a scope of C++, one of them left by an exception.
#include <cstdint>
#include <cstdio>
#include <stdexcept>

#include "bops/region.h"
#include "known_work.h"

namespace {

[[gnu::noinline]] void throws(bool really) {
  const bops::Region region("thrown_out_of");
  if (really) throw std::runtime_error("out");
}

}  // namespace

int main() {
  bops_work("files", 1);
  {
    const bops::Region outer("outer");
    bool caught = false;
    try {
      throws(true);
    } catch (const std::runtime_error&) {
      caught = true;
    }
    if (!caught) return 1;
    known_work(1'000'000);
    {
      const bops::Region inner("inner");
      known_work(1000);
      bops_work("items", 10);
    }
  }
  known_work(10'000'000);
  std::puts("done");
  return 0;
}
