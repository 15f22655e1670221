// A CUPTI without a GPU: the calls that need a target are simulated and hold their callers to the
// order that the real ones ask for; the host calls go to the real library, so that the names of
// metrics and the numbers of passes are genuine.
//
// $BOPS_FAKE_CUDA: words NAME=VALUE:
//   chip=GH100           what cuptiDeviceGetChipName says
//   fail=CALL:CODE       that call fails; fail=CALL:CODE@N only from its N-th time on
//   hang=CALL            that call never comes back
//   holder=NAME          who holds CUPTI already: subscribing fails with 39
//   unsupported=FIELD    of cuptiProfilerDeviceSupported: confidentialCompute, vGpu, sli, cmp, wsl
//   crowded=1            a fourth metric takes a second pass
//   graphs=CODE          cuGraphGetNodes fails
//   room=N               ranges that the counter data really holds: the others are dropped
// $BOPS_REAL_CUPTI is the real library.
#include <cuda.h>
#include <cupti.h>
#include <cupti_profiler_host.h>
#include <cupti_range_profiler.h>
#include <cupti_target.h>
#include <dlfcn.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "tests/doubles/cuda/driver.hpp"
#include "tests/doubles/cuda/kernels.hpp"

using bops::cuda_double::Observer;
using bops::cuda_double::setting;

namespace {

struct Range {
  std::map<std::string, double> values;  ///< filled when asked: by kernel and warps
  std::vector<std::pair<std::string, std::uint64_t>> kernels;
};

/// At the start of a counter data image.
struct ImageHead {
  char magic[8];
  std::uint64_t id;  ///< of the decoded ranges in `decoded`
  std::uint64_t ranges;
};

}  // namespace

struct CUpti_RangeProfiler_Object {
  explicit CUpti_RangeProfiler_Object(CUcontext of) : context(of) {}
  CUcontext context;
  std::uint8_t* image = nullptr;
  std::size_t capacity = 0;
  CUpti_ProfilerRange range = CUPTI_AutoRange;
  bool started = false;
  bool stopped = false;
  int depth = 0;
  std::size_t dropped = 0;
  std::vector<Range> ranges;
};

namespace {

std::recursive_mutex guard;
CUpti_CallbackFunc callback = nullptr;
void* callback_user = nullptr;
std::set<std::pair<int, std::uint32_t>> enabled;
bool initialised = false;
std::map<CUcontext, CUpti_RangeProfiler_Object*> profilers;
std::map<std::uint64_t, std::vector<Range>> decoded;
std::uint64_t images = 0;
std::size_t metrics_added = 0;  ///< to the newest host object
std::map<std::string, int> times;

void* real_library() {
  static void* library = [] {
    const char* path = std::getenv("BOPS_REAL_CUPTI");
    if (path == nullptr) std::abort();
    const std::string directory = std::string(path).substr(0, std::string(path).rfind('/'));
    ::dlopen((directory + "/libnvperf_host.so").c_str(), RTLD_NOW | RTLD_LOCAL);
    void* opened = ::dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (opened == nullptr) std::abort();
    return opened;
  }();
  return library;
}

template <class Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(real_library(), name));
}

/// What the settings make of a call: CUPTI_SUCCESS is to go on.
CUptiResult planned(const char* call) {
  int time = 0;
  {
    const std::scoped_lock lock(guard);
    time = ++times[call];
  }
  if (const char* hang = setting("hang"); hang != nullptr && std::strcmp(hang, call) == 0)
    for (;;) ::pause();
  const char* fail = setting("fail");
  const std::size_t length = std::strlen(call);
  if (fail == nullptr || std::strncmp(fail, call, length) != 0 || fail[length] != ':')
    return CUPTI_SUCCESS;
  const char* from = std::strchr(fail, '@');
  if (from != nullptr && time < std::atoi(from + 1)) return CUPTI_SUCCESS;
  return static_cast<CUptiResult>(std::atoi(fail + length + 1));
}

void deliver(CUpti_CallbackDomain domain, CUpti_CallbackId id, const void* data) {
  CUpti_CallbackFunc function = nullptr;
  {
    const std::scoped_lock lock(guard);
    if (callback == nullptr || !enabled.contains({domain, id})) return;
    function = callback;
  }
  function(callback_user, domain, id, data);
}

void on_context(CUcontext context, bool created) {
  CUpti_ResourceData data{};
  data.context = context;
  deliver(
      CUPTI_CB_DOMAIN_RESOURCE,
      created ? CUPTI_CBID_RESOURCE_CONTEXT_CREATED : CUPTI_CBID_RESOURCE_CONTEXT_DESTROY_STARTING,
      &data);
}

void on_call(CUpti_CallbackId id, const CUpti_CallbackData* data) {
  deliver(CUPTI_CB_DOMAIN_DRIVER_API, id, data);
}

void on_nvtx(CUpti_CallbackId id, const CUpti_NvtxData* data) {
  deliver(CUPTI_CB_DOMAIN_NVTX, id, data);
}

void on_kernel(CUcontext context, const char* name, unsigned blocks, unsigned threads) {
  const std::scoped_lock lock(guard);
  const auto found = profilers.find(context);
  if (found == profilers.end() || !found->second->started) return;
  CUpti_RangeProfiler_Object& profiler = *found->second;
  if (profiler.range == CUPTI_AutoRange) {
    if (profiler.ranges.size() >= profiler.capacity) {
      ++profiler.dropped;
      return;
    }
    profiler.ranges.emplace_back();
  } else if (profiler.depth == 0) {
    return;
  }
  profiler.ranges.back().kernels.emplace_back(name, bops::cuda_double::warps(blocks, threads));
}

constexpr Observer kObserver{on_context, on_call, on_nvtx, on_kernel};

ImageHead* head_of(std::uint8_t* image) {
  return reinterpret_cast<ImageHead*>(image);
}

bool is_image(const std::uint8_t* image, std::size_t size) {
  return image != nullptr && size >= sizeof(ImageHead) && std::memcmp(image, "DOUBLE01", 8) == 0;
}

/// What the real call says of a null or zeroed structure.
template <class Params>
bool is_sized(const Params* params, std::size_t size) {
  return params != nullptr && params->structSize == size;
}

}  // namespace

extern "C" {

CUptiResult cuptiGetResultString(CUptiResult result, const char** text) {
  return real<decltype(cuptiGetResultString)>("cuptiGetResultString")(result, text);
}

CUptiResult cuptiGetVersion(std::uint32_t* version) {
  return real<decltype(cuptiGetVersion)>("cuptiGetVersion")(version);
}

CUptiResult cuptiSubscribe_v2(CUpti_SubscriberHandle* subscriber, CUpti_CallbackFunc function,
                              void* user, CUpti_SubscriberParams* params) {
  if (const CUptiResult result = planned("cuptiSubscribe"); result != CUPTI_SUCCESS) return result;
  const std::scoped_lock lock(guard);
  const char* holder = setting("holder");
  if (callback != nullptr || holder != nullptr) {
    if (params != nullptr && params->oldSubscriberName != nullptr)
      std::snprintf(params->oldSubscriberName, params->oldSubscriberSize, "CUPTI for %s",
                    holder != nullptr ? holder : "bops");
    return CUPTI_ERROR_MULTIPLE_SUBSCRIBERS_NOT_SUPPORTED;
  }
  callback = function;
  callback_user = user;
  *subscriber = reinterpret_cast<CUpti_SubscriberHandle>(&callback);
  fake_cuda_observe(&kObserver);
  return CUPTI_SUCCESS;
}

CUptiResult cuptiUnsubscribe(CUpti_SubscriberHandle) {
  if (const CUptiResult result = planned("cuptiUnsubscribe"); result != CUPTI_SUCCESS)
    return result;
  const std::scoped_lock lock(guard);
  callback = nullptr;
  enabled.clear();
  return CUPTI_SUCCESS;
}

CUptiResult cuptiEnableCallback(std::uint32_t enable, CUpti_SubscriberHandle,
                                CUpti_CallbackDomain domain, CUpti_CallbackId id) {
  if (const CUptiResult result = planned("cuptiEnableCallback"); result != CUPTI_SUCCESS)
    return result;
  const std::scoped_lock lock(guard);
  if (enable != 0)
    enabled.insert({domain, id});
  else
    enabled.erase({domain, id});
  return CUPTI_SUCCESS;
}

CUptiResult cuptiProfilerInitialize(CUpti_Profiler_Initialize_Params* params) {
  if (const CUptiResult result = planned("cuptiProfilerInitialize"); result != CUPTI_SUCCESS)
    return result;
  if (!is_sized(params, CUpti_Profiler_Initialize_Params_STRUCT_SIZE))
    return CUPTI_ERROR_INVALID_PARAMETER;
  initialised = true;
  return CUPTI_SUCCESS;
}

CUptiResult cuptiProfilerDeviceSupported(CUpti_Profiler_DeviceSupported_Params* params) {
  if (const CUptiResult result = planned("cuptiProfilerDeviceSupported"); result != CUPTI_SUCCESS)
    return result;
  const char* unsupported = setting("unsupported");
  const auto level = [unsupported](const char* field) {
    return unsupported != nullptr && std::strcmp(unsupported, field) == 0
               ? CUPTI_PROFILER_CONFIGURATION_UNSUPPORTED
               : CUPTI_PROFILER_CONFIGURATION_SUPPORTED;
  };
  params->architecture = level("architecture");
  params->confidentialCompute = level("confidentialCompute");
  params->vGpu = level("vGpu");
  params->sli = level("sli");
  params->cmp = level("cmp");
  params->wsl = level("wsl");
  params->isSupported = unsupported != nullptr ? CUPTI_PROFILER_CONFIGURATION_UNSUPPORTED
                                               : CUPTI_PROFILER_CONFIGURATION_SUPPORTED;
  return CUPTI_SUCCESS;
}

CUptiResult cuptiDeviceGetChipName(CUpti_Device_GetChipName_Params* params) {
  if (!initialised) std::abort();  // the real one crashes
  if (const CUptiResult result = planned("cuptiDeviceGetChipName"); result != CUPTI_SUCCESS)
    return result;
  static std::string name;
  const char* chip = setting("chip");
  name = chip != nullptr ? chip : "GH100";
  params->pChipName = name.c_str();
  return CUPTI_SUCCESS;
}

CUptiResult cuptiProfilerGetCounterAvailability(
    CUpti_Profiler_GetCounterAvailability_Params* params) {
  if (!initialised) std::abort();  // the real one crashes
  if (const CUptiResult result = planned("cuptiProfilerGetCounterAvailability");
      result != CUPTI_SUCCESS)
    return result;
  constexpr std::size_t kSize = 64;
  if (params->pCounterAvailabilityImage != nullptr) {
    if (params->counterAvailabilityImageSize < kSize)
      return CUPTI_ERROR_PARAMETER_SIZE_NOT_SUFFICIENT;
    std::memset(params->pCounterAvailabilityImage, 0, kSize);
  }
  params->counterAvailabilityImageSize = kSize;
  return CUPTI_SUCCESS;
}

CUptiResult cuptiProfilerHostGetSupportedChips(CUpti_Profiler_Host_GetSupportedChips_Params* p) {
  return real<decltype(cuptiProfilerHostGetSupportedChips)>("cuptiProfilerHostGetSupportedChips")(
      p);
}

CUptiResult cuptiProfilerHostInitialize(CUpti_Profiler_Host_Initialize_Params* params) {
  if (const CUptiResult result = planned("cuptiProfilerHostInitialize"); result != CUPTI_SUCCESS)
    return result;
  CUpti_Profiler_Host_Initialize_Params copy = *params;
  copy.pCounterAvailabilityImage = nullptr;  // ours is none that the real library could read
  const CUptiResult result =
      real<decltype(cuptiProfilerHostInitialize)>("cuptiProfilerHostInitialize")(&copy);
  params->pHostObject = copy.pHostObject;
  return result;
}

CUptiResult cuptiProfilerHostDeinitialize(CUpti_Profiler_Host_Deinitialize_Params* params) {
  if (const CUptiResult result = planned("cuptiProfilerHostDeinitialize"); result != CUPTI_SUCCESS)
    return result;
  return real<decltype(cuptiProfilerHostDeinitialize)>("cuptiProfilerHostDeinitialize")(params);
}

CUptiResult cuptiProfilerHostConfigAddMetrics(CUpti_Profiler_Host_ConfigAddMetrics_Params* p) {
  if (const CUptiResult result = planned("cuptiProfilerHostConfigAddMetrics");
      result != CUPTI_SUCCESS)
    return result;
  {
    const std::scoped_lock lock(guard);
    metrics_added = p->numMetrics;
  }
  return real<decltype(cuptiProfilerHostConfigAddMetrics)>("cuptiProfilerHostConfigAddMetrics")(p);
}

CUptiResult cuptiProfilerHostGetConfigImageSize(CUpti_Profiler_Host_GetConfigImageSize_Params* p) {
  if (const CUptiResult result = planned("cuptiProfilerHostGetConfigImageSize");
      result != CUPTI_SUCCESS)
    return result;
  return real<decltype(cuptiProfilerHostGetConfigImageSize)>("cuptiProfilerHostGetConfigImageSize")(
      p);
}

CUptiResult cuptiProfilerHostGetConfigImage(CUpti_Profiler_Host_GetConfigImage_Params* params) {
  if (const CUptiResult result = planned("cuptiProfilerHostGetConfigImage");
      result != CUPTI_SUCCESS)
    return result;
  return real<decltype(cuptiProfilerHostGetConfigImage)>("cuptiProfilerHostGetConfigImage")(params);
}

CUptiResult cuptiProfilerHostGetNumOfPasses(CUpti_Profiler_Host_GetNumOfPasses_Params* params) {
  if (const CUptiResult result = planned("cuptiProfilerHostGetNumOfPasses");
      result != CUPTI_SUCCESS)
    return result;
  const CUptiResult result =
      real<decltype(cuptiProfilerHostGetNumOfPasses)>("cuptiProfilerHostGetNumOfPasses")(params);
  const std::scoped_lock lock(guard);
  if (setting("crowded") != nullptr && metrics_added > 3) ++params->numOfPasses;
  return result;
}

CUptiResult cuptiRangeProfilerEnable(CUpti_RangeProfiler_Enable_Params* params) {
  if (!initialised) return CUPTI_ERROR_NOT_INITIALIZED;
  if (const CUptiResult result = planned("cuptiRangeProfilerEnable"); result != CUPTI_SUCCESS)
    return result;
  const std::scoped_lock lock(guard);
  if (profilers.contains(params->ctx)) return CUPTI_ERROR_INVALID_OPERATION;
  params->pRangeProfilerObject = profilers[params->ctx] =
      new CUpti_RangeProfiler_Object(params->ctx);
  return CUPTI_SUCCESS;
}

CUptiResult cuptiRangeProfilerDisable(CUpti_RangeProfiler_Disable_Params* params) {
  if (const CUptiResult result = planned("cuptiRangeProfilerDisable"); result != CUPTI_SUCCESS)
    return result;
  const std::scoped_lock lock(guard);
  profilers.erase(params->pRangeProfilerObject->context);
  delete params->pRangeProfilerObject;
  return CUPTI_SUCCESS;
}

CUptiResult cuptiRangeProfilerGetCounterDataSize(
    CUpti_RangeProfiler_GetCounterDataSize_Params* params) {
  if (const CUptiResult result = planned("cuptiRangeProfilerGetCounterDataSize");
      result != CUPTI_SUCCESS)
    return result;
  if (params->maxNumRangeTreeNodes < params->maxNumOfRanges) return CUPTI_ERROR_INVALID_PARAMETER;
  params->counterDataSize = sizeof(ImageHead);
  return CUPTI_SUCCESS;
}

CUptiResult cuptiRangeProfilerCounterDataImageInitialize(
    CUpti_RangeProfiler_CounterDataImage_Initialize_Params* params) {
  if (const CUptiResult result = planned("cuptiRangeProfilerCounterDataImageInitialize");
      result != CUPTI_SUCCESS)
    return result;
  const std::scoped_lock lock(guard);
  if (params->counterDataSize < sizeof(ImageHead) || params->pRangeProfilerObject->started)
    return CUPTI_ERROR_INVALID_OPERATION;
  ImageHead head{};
  std::memcpy(head.magic, "DOUBLE01", 8);
  head.id = ++images;
  if (is_image(params->pCounterData, params->counterDataSize))
    decoded.erase(head_of(params->pCounterData)->id);
  std::memcpy(params->pCounterData, &head, sizeof head);
  return CUPTI_SUCCESS;
}

CUptiResult cuptiRangeProfilerSetConfig(CUpti_RangeProfiler_SetConfig_Params* params) {
  if (const CUptiResult result = planned("cuptiRangeProfilerSetConfig"); result != CUPTI_SUCCESS)
    return result;
  const std::scoped_lock lock(guard);
  CUpti_RangeProfiler_Object& profiler = *params->pRangeProfilerObject;
  if (profiler.started) return CUPTI_ERROR_INVALID_OPERATION;
  if (params->replayMode == CUPTI_KernelReplay && params->range != CUPTI_AutoRange)
    return CUPTI_ERROR_INVALID_PARAMETER;
  if (params->passIndex != 0 || params->numNestingLevels != 1 || params->minNestingLevel != 1)
    return CUPTI_ERROR_INVALID_PARAMETER;
  if (!is_image(params->pCounterDataImage, params->counterDataImageSize) ||
      head_of(params->pCounterDataImage)->ranges != 0)
    return CUPTI_ERROR_INVALID_PARAMETER;
  CUpti_Profiler_Host_GetNumOfPasses_Params passes{};
  passes.structSize = CUpti_Profiler_Host_GetNumOfPasses_Params_STRUCT_SIZE;
  passes.configImageSize = params->configSize;
  passes.pConfigImage = const_cast<std::uint8_t*>(params->pConfig);
  if (real<decltype(cuptiProfilerHostGetNumOfPasses)>("cuptiProfilerHostGetNumOfPasses")(&passes) !=
      CUPTI_SUCCESS)
    return CUPTI_ERROR_INVALID_PARAMETER;
  if (params->replayMode == CUPTI_UserReplay && passes.numOfPasses != 1)
    return CUPTI_ERROR_INVALID_OPERATION;  // the double replays nothing
  profiler.image = params->pCounterDataImage;
  profiler.range = params->range;
  const char* room = setting("room");
  profiler.capacity =
      room != nullptr ? static_cast<std::size_t>(std::atoi(room)) : params->maxRangesPerPass;
  return CUPTI_SUCCESS;
}

CUptiResult cuptiRangeProfilerStart(CUpti_RangeProfiler_Start_Params* params) {
  if (const CUptiResult result = planned("cuptiRangeProfilerStart"); result != CUPTI_SUCCESS)
    return result;
  const std::scoped_lock lock(guard);
  CUpti_RangeProfiler_Object& profiler = *params->pRangeProfilerObject;
  if (profiler.started || profiler.image == nullptr) return CUPTI_ERROR_INVALID_OPERATION;
  profiler.started = true;
  profiler.stopped = false;
  profiler.dropped = 0;
  profiler.ranges.clear();
  return CUPTI_SUCCESS;
}

CUptiResult cuptiRangeProfilerStop(CUpti_RangeProfiler_Stop_Params* params) {
  if (const CUptiResult result = planned("cuptiRangeProfilerStop"); result != CUPTI_SUCCESS)
    return result;
  const std::scoped_lock lock(guard);
  CUpti_RangeProfiler_Object& profiler = *params->pRangeProfilerObject;
  if (!profiler.started || profiler.depth != 0) return CUPTI_ERROR_INVALID_OPERATION;
  profiler.started = false;
  profiler.stopped = true;
  params->isAllPassSubmitted = 1;
  return CUPTI_SUCCESS;
}

CUptiResult cuptiRangeProfilerPushRange(CUpti_RangeProfiler_PushRange_Params* params) {
  if (const CUptiResult result = planned("cuptiRangeProfilerPushRange"); result != CUPTI_SUCCESS)
    return result;
  const std::scoped_lock lock(guard);
  CUpti_RangeProfiler_Object& profiler = *params->pRangeProfilerObject;
  if (!profiler.started || profiler.range != CUPTI_UserRange || profiler.depth != 0)
    return CUPTI_ERROR_INVALID_OPERATION;
  ++profiler.depth;
  profiler.ranges.emplace_back();
  return CUPTI_SUCCESS;
}

CUptiResult cuptiRangeProfilerPopRange(CUpti_RangeProfiler_PopRange_Params* params) {
  if (const CUptiResult result = planned("cuptiRangeProfilerPopRange"); result != CUPTI_SUCCESS)
    return result;
  const std::scoped_lock lock(guard);
  CUpti_RangeProfiler_Object& profiler = *params->pRangeProfilerObject;
  if (profiler.depth == 0) return CUPTI_ERROR_INVALID_OPERATION;
  --profiler.depth;
  return CUPTI_SUCCESS;
}

CUptiResult cuptiRangeProfilerDecodeData(CUpti_RangeProfiler_DecodeData_Params* params) {
  if (const CUptiResult result = planned("cuptiRangeProfilerDecodeData"); result != CUPTI_SUCCESS)
    return result;
  const std::scoped_lock lock(guard);
  CUpti_RangeProfiler_Object& profiler = *params->pRangeProfilerObject;
  if (!profiler.stopped) return CUPTI_ERROR_INVALID_OPERATION;
  ImageHead* head = head_of(profiler.image);
  head->ranges = profiler.ranges.size();
  decoded[head->id] = std::move(profiler.ranges);
  profiler.ranges.clear();
  params->numOfRangeDropped = profiler.dropped;
  return CUPTI_SUCCESS;
}

CUptiResult cuptiRangeProfilerGetCounterDataInfo(
    CUpti_RangeProfiler_GetCounterDataInfo_Params* params) {
  if (const CUptiResult result = planned("cuptiRangeProfilerGetCounterDataInfo");
      result != CUPTI_SUCCESS)
    return result;
  if (!is_image(params->pCounterDataImage, params->counterDataImageSize))
    return CUPTI_ERROR_INVALID_PARAMETER;
  params->numTotalRanges = reinterpret_cast<const ImageHead*>(params->pCounterDataImage)->ranges;
  return CUPTI_SUCCESS;
}

CUptiResult cuptiProfilerHostEvaluateToGpuValues(
    CUpti_Profiler_Host_EvaluateToGpuValues_Params* params) {
  if (const CUptiResult result = planned("cuptiProfilerHostEvaluateToGpuValues");
      result != CUPTI_SUCCESS)
    return result;
  const std::scoped_lock lock(guard);
  if (!is_image(params->pCounterDataImage, params->counterDataImageSize))
    return CUPTI_ERROR_INVALID_PARAMETER;
  const auto found =
      decoded.find(reinterpret_cast<const ImageHead*>(params->pCounterDataImage)->id);
  if (found == decoded.end() || params->rangeIndex >= found->second.size())
    return CUPTI_ERROR_INVALID_PARAMETER;
  for (std::size_t i = 0; i < params->numMetrics; ++i) {
    std::uint64_t sum = 0;
    for (const auto& [kernel, warps] : found->second[params->rangeIndex].kernels)
      sum += bops::cuda_double::metric_value(params->ppMetricNames[i],
                                             bops::cuda_double::find_kernel(kernel), warps);
    params->pMetricValues[i] = static_cast<double>(sum);
  }
  return CUPTI_SUCCESS;
}

}  // extern "C"
