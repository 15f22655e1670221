#include "collectors/cuda/injection/cupti_api.hpp"

#include <dlfcn.h>

namespace bops::cuda::injection {
namespace {

void* open_cupti(const std::string& path) {
  if (void* loaded = ::dlopen("libcupti.so.13", RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD)) return loaded;
  // libcupti loads this one by its name alone, and finds it if it is loaded already.
  const std::string directory = path.substr(0, path.rfind('/') + 1);
  if (!directory.empty())
    ::dlopen((directory + "libnvperf_host.so").c_str(), RTLD_NOW | RTLD_LOCAL);
  return ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
}

}  // namespace

bool CuptiApi::load(const std::string& path, std::string& why) {
  void* cupti = open_cupti(path);
  if (cupti == nullptr) {
    const char* error = ::dlerror();
    why = error != nullptr ? error : "it cannot be loaded";
    return false;
  }
  void* driver = ::dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
  if (driver == nullptr) {
    why = "the driver's libcuda.so.1 is not loaded";
    return false;
  }
  const auto find = [](void* library, auto& function, const char* name) {
    function =
        reinterpret_cast<std::remove_reference_t<decltype(function)>>(::dlsym(library, name));
    return function != nullptr;
  };
  const auto need = [&](void* library, auto& function, const char* name) {
    if (!find(library, function, name) && why.empty()) why = std::string(name) + " is missing";
  };
  need(cupti, cuptiUnsubscribe, "cuptiUnsubscribe");
  need(cupti, cuptiEnableCallback, "cuptiEnableCallback");
  need(cupti, cuptiGetResultString, "cuptiGetResultString");
  need(cupti, cuptiProfilerInitialize, "cuptiProfilerInitialize");
  need(cupti, cuptiProfilerDeviceSupported, "cuptiProfilerDeviceSupported");
  need(cupti, cuptiDeviceGetChipName, "cuptiDeviceGetChipName");
  need(cupti, cuptiProfilerGetCounterAvailability, "cuptiProfilerGetCounterAvailability");
  need(cupti, cuptiProfilerHostInitialize, "cuptiProfilerHostInitialize");
  need(cupti, cuptiProfilerHostDeinitialize, "cuptiProfilerHostDeinitialize");
  need(cupti, cuptiProfilerHostConfigAddMetrics, "cuptiProfilerHostConfigAddMetrics");
  need(cupti, cuptiProfilerHostGetConfigImageSize, "cuptiProfilerHostGetConfigImageSize");
  need(cupti, cuptiProfilerHostGetConfigImage, "cuptiProfilerHostGetConfigImage");
  need(cupti, cuptiProfilerHostGetNumOfPasses, "cuptiProfilerHostGetNumOfPasses");
  need(cupti, cuptiProfilerHostEvaluateToGpuValues, "cuptiProfilerHostEvaluateToGpuValues");
  need(cupti, cuptiRangeProfilerEnable, "cuptiRangeProfilerEnable");
  need(cupti, cuptiRangeProfilerDisable, "cuptiRangeProfilerDisable");
  need(cupti, cuptiRangeProfilerGetCounterDataSize, "cuptiRangeProfilerGetCounterDataSize");
  need(cupti, cuptiRangeProfilerCounterDataImageInitialize,
       "cuptiRangeProfilerCounterDataImageInitialize");
  need(cupti, cuptiRangeProfilerSetConfig, "cuptiRangeProfilerSetConfig");
  need(cupti, cuptiRangeProfilerStart, "cuptiRangeProfilerStart");
  need(cupti, cuptiRangeProfilerStop, "cuptiRangeProfilerStop");
  need(cupti, cuptiRangeProfilerPushRange, "cuptiRangeProfilerPushRange");
  need(cupti, cuptiRangeProfilerPopRange, "cuptiRangeProfilerPopRange");
  need(cupti, cuptiRangeProfilerDecodeData, "cuptiRangeProfilerDecodeData");
  need(cupti, cuptiRangeProfilerGetCounterDataInfo, "cuptiRangeProfilerGetCounterDataInfo");
  need(driver, cuCtxGetDevice, "cuCtxGetDevice");
  need(driver, cuCtxPushCurrent_v2, "cuCtxPushCurrent_v2");
  need(driver, cuCtxPopCurrent_v2, "cuCtxPopCurrent_v2");
  need(driver, cuDeviceGetName, "cuDeviceGetName");
  need(driver, cuStreamIsCapturing, "cuStreamIsCapturing");
  (void)find(driver, cuDeviceGetUuid_v2, "cuDeviceGetUuid_v2");
  (void)find(driver, cuGraphGetNodes, "cuGraphGetNodes");
  (void)find(driver, cuGraphNodeGetType, "cuGraphNodeGetType");
  (void)find(driver, cuGraphKernelNodeGetParams_v2, "cuGraphKernelNodeGetParams_v2");
  (void)find(driver, cuGraphChildGraphNodeGetGraph, "cuGraphChildGraphNodeGetGraph");
  (void)find(driver, cuFuncGetName, "cuFuncGetName");
  (void)find(driver, cuKernelGetName, "cuKernelGetName");
  const bool newer = find(cupti, cuptiSubscribe_v2, "cuptiSubscribe_v2");
  if (!newer) need(cupti, cuptiSubscribe, "cuptiSubscribe");
  return why.empty();
}

}  // namespace bops::cuda::injection
