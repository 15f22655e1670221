#include "collectors/exact/native/engine/engine.hpp"

extern "C" int copy_bytes(void* to, const void* from, std::size_t size);

namespace bops::native {

bool copy_guest(void* to, const void* from, std::size_t size) {
  return copy_bytes(to, from, size) != 0;
}

}  // namespace bops::native
