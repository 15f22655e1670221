#include "collectors/exact/native/engine/exec.hpp"
#include "collectors/exact/native/engine/guest_files.hpp"
namespace bops::native {
__attribute__((weak)) bool guest_file_call(std::int64_t,const Word*, std::int64_t&){return false;}
__attribute__((weak)) std::int64_t execute_program(std::int64_t n,const Word*a){ return kernel_call(n,a[0],a[1],a[2],a[3],a[4]);}
}
