// The NVTX ranges that the calling thread is in: what the target calls its parts.
#pragma once

#include <string>

#include "collectors/cuda/injection/cupti_api.hpp"

namespace bops::cuda::injection {

/// Takes one NVTX callback; others than pushes, pops and registered strings are passed over.
void note_nvtx(CUpti_CallbackId id, const CUpti_NvtxData& data);

/// The names of the thread's ranges, outermost first, divided by wire::kRangeSeparator.
[[nodiscard]] const std::string& current_ranges();

}  // namespace bops::cuda::injection
