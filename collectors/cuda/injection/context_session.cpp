#include "collectors/cuda/injection/context_session.hpp"

#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace bops::cuda::injection {
namespace {

std::uint64_t now_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000U +
         static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000U;
}

template <class Params>
Params sized(std::size_t size) {
  Params params{};
  params.structSize = size;
  return params;
}

std::string uuid_text(const CuptiApi& api, CUdevice device) {
  CUuuid uuid{};
  if (api.cuDeviceGetUuid_v2 == nullptr || api.cuDeviceGetUuid_v2(&uuid, device) != CUDA_SUCCESS)
    return "device-" + std::to_string(device);
  std::string text = "GPU-";
  for (std::size_t i = 0; i < sizeof uuid.bytes; ++i) {
    char digits[4];
    std::snprintf(digits, sizeof digits, "%02x", static_cast<unsigned char>(uuid.bytes[i]));
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += digits;
  }
  return text;
}

/// Why a device is not supported, as the code that CUPTI has for it.
int code_of(const CUpti_Profiler_DeviceSupported_Params& device) {
  const auto bad = [](CUpti_Profiler_Support_Level level) {
    return level != CUPTI_PROFILER_CONFIGURATION_SUPPORTED;
  };
  if (bad(device.confidentialCompute)) return CUPTI_ERROR_CONFIDENTIAL_COMPUTING_NOT_SUPPORTED;
  if (bad(device.vGpu)) return CUPTI_ERROR_VIRTUALIZED_DEVICE_NOT_SUPPORTED;
  if (bad(device.sli)) return CUPTI_ERROR_SLI_DEVICE_NOT_SUPPORTED;
  if (bad(device.cmp)) return CUPTI_ERROR_CMP_DEVICE_NOT_SUPPORTED;
  if (bad(device.wsl)) return CUPTI_ERROR_WSL_DEVICE_NOT_SUPPORTED;
  return CUPTI_ERROR_NOT_SUPPORTED;
}

}  // namespace

void write_problem(const CuptiApi& api, WireWriter& wire, std::uint32_t context, int code,
                   const char* call, const std::string& more) {
  const char* name = "";
  if (code != 0 && api.cuptiGetResultString != nullptr)
    (void)api.cuptiGetResultString(static_cast<CUptiResult>(code), &name);
  wire.add(Record(wire::RecordType::kProblem)
               .u32(context)
               .u32(static_cast<std::uint32_t>(code))
               .text(call)
               .text(name != nullptr ? name : "")
               .text(more));
  wire.flush();
}

void ContextSession::tell(int code, const char* call, const std::string& more) {
  write_problem(api_, wire_, id_, code, call, more);
}

bool ContextSession::good(CUptiResult result, const char* call) {
  if (result == CUPTI_SUCCESS) return true;
  tell(result, call, "");
  return false;
}

void ContextSession::before_launch(Launch launch) {
  if (state_ == State::kNew) {
    state_ = open() && make_image() && start() ? State::kCounting : State::kOver;
    last_fetch_ms_ = now_ms();
  }
  ++launches_;
  if (state_ != State::kCounting) return;
  if (plan_.profile)
    pending_.push_back(std::move(launch));
  else
    ++pending_launches_;
}

void ContextSession::after_launch(bool launched) {
  if (!launched) {
    --launches_;
    if (plan_.profile && !pending_.empty()) pending_.pop_back();
    if (!plan_.profile && pending_launches_ > 0) --pending_launches_;
  }
  if (plan_.profile && (is_one_graph() || pending_.size() >= plan_.ranges)) harvest();
}

void ContextSession::harvest_before_graph() {
  if (state_ == State::kCounting && !pending_.empty()) harvest();
}

void ContextSession::harvest_if_due() {
  const bool nothing = pending_.empty() && pending_launches_ == 0;
  if (state_ == State::kCounting && !nothing && now_ms() - last_fetch_ms_ >= plan_.interval_ms)
    harvest();
}

void ContextSession::harvest() {
  if (state_ != State::kCounting) return;
  if (!fetch() || !make_image() || !start()) state_ = State::kOver;
  last_fetch_ms_ = now_ms();
  write_launches();
}

void ContextSession::close() {
  if (state_ == State::kCounting) (void)fetch();
  if (launches_ > 0) write_launches();
  state_ = State::kOver;
  if (profiler_ != nullptr) {
    auto params =
        sized<CUpti_RangeProfiler_Disable_Params>(CUpti_RangeProfiler_Disable_Params_STRUCT_SIZE);
    params.pRangeProfilerObject = profiler_;
    (void)good(api_.cuptiRangeProfilerDisable(&params), "cuptiRangeProfilerDisable");
    profiler_ = nullptr;
  }
  if (host_ != nullptr) {
    auto params = sized<CUpti_Profiler_Host_Deinitialize_Params>(
        CUpti_Profiler_Host_Deinitialize_Params_STRUCT_SIZE);
    params.pHostObject = host_;
    (void)good(api_.cuptiProfilerHostDeinitialize(&params), "cuptiProfilerHostDeinitialize");
    host_ = nullptr;
  }
}

bool ContextSession::open() {
  CUdevice device = 0;
  if (const CUresult result = api_.cuCtxGetDevice(&device); result != CUDA_SUCCESS) {
    tell(0, "cuCtxGetDevice", "CUDA error " + std::to_string(static_cast<int>(result)));
    return false;
  }
  auto initialize =
      sized<CUpti_Profiler_Initialize_Params>(CUpti_Profiler_Initialize_Params_STRUCT_SIZE);
  if (!good(api_.cuptiProfilerInitialize(&initialize), "cuptiProfilerInitialize")) return false;
  auto supported = sized<CUpti_Profiler_DeviceSupported_Params>(
      CUpti_Profiler_DeviceSupported_Params_STRUCT_SIZE);
  supported.cuDevice = device;
  supported.api = CUPTI_PROFILER_RANGE_PROFILING;
  if (!good(api_.cuptiProfilerDeviceSupported(&supported), "cuptiProfilerDeviceSupported"))
    return false;
  if (supported.isSupported != CUPTI_PROFILER_CONFIGURATION_SUPPORTED) {
    tell(code_of(supported), "cuptiProfilerDeviceSupported", "the device is not supported");
    return false;
  }
  auto chip = sized<CUpti_Device_GetChipName_Params>(CUpti_Device_GetChipName_Params_STRUCT_SIZE);
  chip.deviceIndex = static_cast<std::size_t>(device);
  if (!good(api_.cuptiDeviceGetChipName(&chip), "cuptiDeviceGetChipName")) return false;
  auto availability = sized<CUpti_Profiler_GetCounterAvailability_Params>(
      CUpti_Profiler_GetCounterAvailability_Params_STRUCT_SIZE);
  availability.ctx = context_;
  if (!good(api_.cuptiProfilerGetCounterAvailability(&availability),
            "cuptiProfilerGetCounterAvailability"))
    return false;
  std::vector<std::uint8_t> available(availability.counterAvailabilityImageSize);
  availability.pCounterAvailabilityImage = available.data();
  if (!good(api_.cuptiProfilerGetCounterAvailability(&availability),
            "cuptiProfilerGetCounterAvailability"))
    return false;
  const Plan::Chip* wanted = plan_.find_chip(chip.pChipName);
  const Plan::Chip unknown{chip.pChipName, {}};
  if (!configure(wanted != nullptr ? *wanted : unknown, available)) return false;

  char name[256] = "";
  (void)api_.cuDeviceGetName(name, sizeof name, device);
  Record record(wire::RecordType::kContext);
  auto passes = sized<CUpti_Profiler_Host_GetNumOfPasses_Params>(
      CUpti_Profiler_Host_GetNumOfPasses_Params_STRUCT_SIZE);
  passes.configImageSize = configuration_.size();
  passes.pConfigImage = configuration_.data();
  (void)api_.cuptiProfilerHostGetNumOfPasses(&passes);
  record.u32(id_).u32(static_cast<std::uint32_t>(device)).text(name).text(chip.pChipName);
  record.text(uuid_text(api_, device)).u64(passes.numOfPasses);
  record.u32(static_cast<std::uint32_t>(metrics_.size()));
  for (const std::string& metric : metrics_) record.text(metric);
  wire_.add(std::move(record));
  wire_.flush();

  auto enable =
      sized<CUpti_RangeProfiler_Enable_Params>(CUpti_RangeProfiler_Enable_Params_STRUCT_SIZE);
  enable.ctx = context_;
  if (!good(api_.cuptiRangeProfilerEnable(&enable), "cuptiRangeProfilerEnable")) return false;
  profiler_ = enable.pRangeProfilerObject;
  return true;
}

/// Where the metrics take more passes than the plan allows, the last ones are left out.
bool ContextSession::configure(const Plan::Chip& chip, std::vector<std::uint8_t>& availability) {
  metrics_ = chip.metrics;
  chip_ = chip.name;
  for (;;) {
    auto initialize = sized<CUpti_Profiler_Host_Initialize_Params>(
        CUpti_Profiler_Host_Initialize_Params_STRUCT_SIZE);
    initialize.profilerType = CUPTI_PROFILER_TYPE_RANGE_PROFILER;
    initialize.pChipName = chip.name.c_str();
    initialize.pCounterAvailabilityImage = availability.data();
    if (!good(api_.cuptiProfilerHostInitialize(&initialize), "cuptiProfilerHostInitialize"))
      return false;
    host_ = initialize.pHostObject;
    if (metrics_.empty()) {
      tell(0, "plan", "there is no metric set for the chip " + chip.name);
      return false;
    }
    metric_names_.clear();
    for (const std::string& metric : metrics_) metric_names_.push_back(metric.c_str());
    auto add = sized<CUpti_Profiler_Host_ConfigAddMetrics_Params>(
        CUpti_Profiler_Host_ConfigAddMetrics_Params_STRUCT_SIZE);
    add.pHostObject = host_;
    add.ppMetricNames = metric_names_.data();
    add.numMetrics = metric_names_.size();
    if (!good(api_.cuptiProfilerHostConfigAddMetrics(&add), "cuptiProfilerHostConfigAddMetrics"))
      return false;
    auto size = sized<CUpti_Profiler_Host_GetConfigImageSize_Params>(
        CUpti_Profiler_Host_GetConfigImageSize_Params_STRUCT_SIZE);
    size.pHostObject = host_;
    if (!good(api_.cuptiProfilerHostGetConfigImageSize(&size),
              "cuptiProfilerHostGetConfigImageSize"))
      return false;
    configuration_.assign(size.configImageSize, 0);
    auto image = sized<CUpti_Profiler_Host_GetConfigImage_Params>(
        CUpti_Profiler_Host_GetConfigImage_Params_STRUCT_SIZE);
    image.pHostObject = host_;
    image.configImageSize = configuration_.size();
    image.pConfigImage = configuration_.data();
    if (!good(api_.cuptiProfilerHostGetConfigImage(&image), "cuptiProfilerHostGetConfigImage"))
      return false;
    auto passes = sized<CUpti_Profiler_Host_GetNumOfPasses_Params>(
        CUpti_Profiler_Host_GetNumOfPasses_Params_STRUCT_SIZE);
    passes.configImageSize = configuration_.size();
    passes.pConfigImage = configuration_.data();
    if (!good(api_.cuptiProfilerHostGetNumOfPasses(&passes), "cuptiProfilerHostGetNumOfPasses"))
      return false;
    if (plan_.most_passes == 0 || passes.numOfPasses <= plan_.most_passes) return true;
    tell(0, "cuptiProfilerHostGetNumOfPasses",
         "the metrics take " + std::to_string(passes.numOfPasses) + " passes on this GPU, not " +
             std::to_string(plan_.most_passes) + ": " + metrics_.back() + " is left out");
    auto end = sized<CUpti_Profiler_Host_Deinitialize_Params>(
        CUpti_Profiler_Host_Deinitialize_Params_STRUCT_SIZE);
    end.pHostObject = host_;
    (void)api_.cuptiProfilerHostDeinitialize(&end);
    host_ = nullptr;
    metrics_.pop_back();
    if (metrics_.empty()) return false;
  }
}

bool ContextSession::make_image() {
  const std::size_t ranges = plan_.profile ? plan_.ranges : 1;
  if (image_.empty()) {
    auto size = sized<CUpti_RangeProfiler_GetCounterDataSize_Params>(
        CUpti_RangeProfiler_GetCounterDataSize_Params_STRUCT_SIZE);
    size.pRangeProfilerObject = profiler_;
    size.pMetricNames = metric_names_.data();
    size.numMetrics = metric_names_.size();
    size.maxNumOfRanges = ranges;
    size.maxNumRangeTreeNodes = static_cast<std::uint32_t>(ranges);
    if (!good(api_.cuptiRangeProfilerGetCounterDataSize(&size),
              "cuptiRangeProfilerGetCounterDataSize"))
      return false;
    image_.assign(size.counterDataSize, 0);
  }
  auto initialize = sized<CUpti_RangeProfiler_CounterDataImage_Initialize_Params>(
      CUpti_RangeProfiler_CounterDataImage_Initialize_Params_STRUCT_SIZE);
  initialize.pRangeProfilerObject = profiler_;
  initialize.counterDataSize = image_.size();
  initialize.pCounterData = image_.data();
  return good(api_.cuptiRangeProfilerCounterDataImageInitialize(&initialize),
              "cuptiRangeProfilerCounterDataImageInitialize");
}

bool ContextSession::start() {
  auto configure =
      sized<CUpti_RangeProfiler_SetConfig_Params>(CUpti_RangeProfiler_SetConfig_Params_STRUCT_SIZE);
  configure.pRangeProfilerObject = profiler_;
  configure.configSize = configuration_.size();
  configure.pConfig = configuration_.data();
  configure.counterDataImageSize = image_.size();
  configure.pCounterDataImage = image_.data();
  configure.range = plan_.profile ? CUPTI_AutoRange : CUPTI_UserRange;
  configure.replayMode = plan_.profile ? CUPTI_KernelReplay : CUPTI_UserReplay;
  configure.maxRangesPerPass = plan_.profile ? plan_.ranges : 1;
  configure.numNestingLevels = 1;
  configure.minNestingLevel = 1;
  if (!good(api_.cuptiRangeProfilerSetConfig(&configure), "cuptiRangeProfilerSetConfig"))
    return false;
  auto start =
      sized<CUpti_RangeProfiler_Start_Params>(CUpti_RangeProfiler_Start_Params_STRUCT_SIZE);
  start.pRangeProfilerObject = profiler_;
  if (!good(api_.cuptiRangeProfilerStart(&start), "cuptiRangeProfilerStart")) return false;
  if (plan_.profile) return true;
  auto push =
      sized<CUpti_RangeProfiler_PushRange_Params>(CUpti_RangeProfiler_PushRange_Params_STRUCT_SIZE);
  push.pRangeProfilerObject = profiler_;
  push.pRangeName = "bops";
  return good(api_.cuptiRangeProfilerPushRange(&push), "cuptiRangeProfilerPushRange");
}

bool ContextSession::fetch() {
  if (!plan_.profile) {
    auto pop =
        sized<CUpti_RangeProfiler_PopRange_Params>(CUpti_RangeProfiler_PopRange_Params_STRUCT_SIZE);
    pop.pRangeProfilerObject = profiler_;
    if (!good(api_.cuptiRangeProfilerPopRange(&pop), "cuptiRangeProfilerPopRange")) return false;
  }
  auto stop = sized<CUpti_RangeProfiler_Stop_Params>(CUpti_RangeProfiler_Stop_Params_STRUCT_SIZE);
  stop.pRangeProfilerObject = profiler_;
  if (!good(api_.cuptiRangeProfilerStop(&stop), "cuptiRangeProfilerStop")) return false;
  auto decode = sized<CUpti_RangeProfiler_DecodeData_Params>(
      CUpti_RangeProfiler_DecodeData_Params_STRUCT_SIZE);
  decode.pRangeProfilerObject = profiler_;
  if (!good(api_.cuptiRangeProfilerDecodeData(&decode), "cuptiRangeProfilerDecodeData"))
    return false;
  dropped_ += plan_.profile ? decode.numOfRangeDropped : 0;
  auto info = sized<CUpti_RangeProfiler_GetCounterDataInfo_Params>(
      CUpti_RangeProfiler_GetCounterDataInfo_Params_STRUCT_SIZE);
  info.pCounterDataImage = image_.data();
  info.counterDataImageSize = image_.size();
  return good(api_.cuptiRangeProfilerGetCounterDataInfo(&info),
              "cuptiRangeProfilerGetCounterDataInfo") &&
         write_counts(info.numTotalRanges, decode.numOfRangeDropped);
}

bool ContextSession::write_counts(std::size_t ranges, std::size_t dropped) {
  struct Sum {
    std::uint64_t launches = 0;
    std::vector<double> values;
  };
  std::map<Launch, Sum> sums;
  // The i-th range is the i-th launch, if each launch made one. What was dropped came last.
  const bool is_graph = is_one_graph();
  const bool named = plan_.profile && !is_graph && ranges + dropped == pending_.size();
  if (plan_.profile && !named && !is_graph && ranges > 0)
    tell(0, "ranges",
         std::to_string(pending_.size()) + " launches made " + std::to_string(ranges + dropped) +
             " ranges: their counts are given without names");
  if (!plan_.profile && pending_launches_ == 0) return true;
  std::vector<double> values(metrics_.size());
  for (std::size_t range = 0; range < ranges; ++range) {
    auto evaluate = sized<CUpti_Profiler_Host_EvaluateToGpuValues_Params>(
        CUpti_Profiler_Host_EvaluateToGpuValues_Params_STRUCT_SIZE);
    evaluate.pHostObject = host_;
    evaluate.pCounterDataImage = image_.data();
    evaluate.counterDataImageSize = image_.size();
    evaluate.rangeIndex = range;
    evaluate.ppMetricNames = metric_names_.data();
    evaluate.numMetrics = metric_names_.size();
    evaluate.pMetricValues = values.data();
    if (!good(api_.cuptiProfilerHostEvaluateToGpuValues(&evaluate),
              "cuptiProfilerHostEvaluateToGpuValues"))
      return false;
    if (range == 0 && !plan_.images.empty()) keep_image(values);
    const Launch unknown{plan_.profile ? "[unknown]" : "", {}, {}, {}, 0};
    Sum& sum = sums[is_graph ? pending_.front() : named ? pending_[range] : unknown];
    if (!is_graph || range == 0) sum.launches += plan_.profile ? 1 : pending_launches_;
    sum.values.resize(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) sum.values[i] += values[i];
  }
  for (const auto& [launch, sum] : sums) {
    Record record(wire::RecordType::kCounts);
    record.u32(id_).u64(sum.launches);
    for (const std::uint32_t size : launch.grid) record.u32(size);
    for (const std::uint32_t size : launch.block) record.u32(size);
    record.text(launch.kernel).text(launch.ranges).u32(launch.graph);
    record.u32(static_cast<std::uint32_t>(sum.values.size()));
    for (const double value : sum.values) record.f64(value);
    wire_.add(std::move(record));
  }
  pending_.clear();
  pending_launches_ = 0;
  wire_.flush();
  return true;
}

/// The last image of each chip and mode, and below its name the values of its first range.
void ContextSession::keep_image(const std::vector<double>& values) const {
  const std::string path = plan_.images + "/" + chip_ + (plan_.profile ? "-profile" : "-meter");
  if (std::FILE* file = std::fopen((path + ".image").c_str(), "we"); file != nullptr) {
    (void)!std::fwrite(image_.data(), 1, image_.size(), file);
    std::fclose(file);
  }
  if (std::FILE* file = std::fopen((path + ".values").c_str(), "we"); file != nullptr) {
    for (std::size_t i = 0; i < metrics_.size(); ++i)
      std::fprintf(file, "%s %.17g\n", metrics_[i].c_str(), values[i]);
    std::fclose(file);
  }
}

void ContextSession::write_launches() {
  wire_.add(Record(wire::RecordType::kLaunches).u32(id_).u64(launches_).u64(dropped_));
  wire_.flush();
}

}  // namespace bops::cuda::injection
