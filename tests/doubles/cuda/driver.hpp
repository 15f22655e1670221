// What the fake driver tells the fake CUPTI: CUPTI subscribes when it is subscribed to.
#pragma once

#include <cuda.h>
#include <cupti.h>

namespace bops::cuda_double {

struct Observer {
  void (*on_context)(CUcontext context, bool created);
  /// A call of the driver begins or ends; `data` is as CUPTI hands it on.
  void (*on_call)(CUpti_CallbackId id, const CUpti_CallbackData* data);
  void (*on_nvtx)(CUpti_CallbackId id, const CUpti_NvtxData* data);
  /// A kernel runs on the GPU.
  void (*on_kernel)(CUcontext context, const char* name, unsigned blocks, unsigned threads);
};

/// The value of a word NAME=VALUE of $BOPS_FAKE_CUDA, null if there is none; valid until the next
/// call of the thread.
[[nodiscard]] const char* setting(const char* name);

}  // namespace bops::cuda_double

extern "C" void fake_cuda_observe(const bops::cuda_double::Observer* observer);
extern "C" void fake_cuda_nvtx_push(const char* name);
extern "C" void fake_cuda_nvtx_pop(void);
/// What nvtxDomainRegisterStringA returns; never null.
extern "C" void* fake_cuda_nvtx_register(const char* name);
/// As nvtxDomainRangePushEx with a registered string.
extern "C" void fake_cuda_nvtx_push_registered(void* string);
