#include "collectors/cuda/host_metrics.hpp"

#include <cupti_profiler_host.h>
#include <cupti_result.h>
#include <cupti_target.h>
#include <cupti_version.h>

#include <algorithm>

#include "collectors/cuda/cupti_library.hpp"

namespace bops::cuda {

/// Every function by its type in the real header; the library is another build's, perhaps.
struct HostMetrics::Api {
  decltype(::cuptiGetVersion)* get_version;
  decltype(::cuptiGetResultString)* get_result_string;
  decltype(::cuptiProfilerHostGetSupportedChips)* get_supported_chips;
  decltype(::cuptiProfilerHostInitialize)* initialize;
  decltype(::cuptiProfilerHostDeinitialize)* deinitialize;
  decltype(::cuptiProfilerHostConfigAddMetrics)* add_metrics;
  decltype(::cuptiProfilerHostGetConfigImageSize)* get_image_size;
  decltype(::cuptiProfilerHostGetConfigImage)* get_image;
  decltype(::cuptiProfilerHostGetNumOfPasses)* get_passes;
};

namespace {

template <class Params>
Params sized(std::size_t size) {
  Params params{};
  params.structSize = size;
  return params;
}

/// Owner of a host object of one chip.
class HostObject {
 public:
  HostObject(decltype(::cuptiProfilerHostInitialize)* initialize,
             decltype(::cuptiProfilerHostDeinitialize)* deinitialize, const std::string& chip)
      : deinitialize_(deinitialize) {
    auto params = sized<CUpti_Profiler_Host_Initialize_Params>(
        CUpti_Profiler_Host_Initialize_Params_STRUCT_SIZE);
    params.profilerType = CUPTI_PROFILER_TYPE_RANGE_PROFILER;
    params.pChipName = chip.c_str();
    status_ = initialize(&params);
    if (status_ == CUPTI_SUCCESS) object_ = params.pHostObject;
  }
  HostObject(const HostObject&) = delete;
  HostObject& operator=(const HostObject&) = delete;
  ~HostObject() {
    if (object_ == nullptr) return;
    auto params = sized<CUpti_Profiler_Host_Deinitialize_Params>(
        CUpti_Profiler_Host_Deinitialize_Params_STRUCT_SIZE);
    params.pHostObject = object_;
    (void)deinitialize_(&params);
  }
  [[nodiscard]] CUpti_Profiler_Host_Object* get() const { return object_; }
  [[nodiscard]] CUptiResult status() const { return status_; }

 private:
  decltype(::cuptiProfilerHostDeinitialize)* deinitialize_;
  CUpti_Profiler_Host_Object* object_ = nullptr;
  CUptiResult status_ = CUPTI_SUCCESS;
};

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

CUptiResult add(decltype(::cuptiProfilerHostConfigAddMetrics)* add_metrics,
                const HostObject& object, std::span<const std::string> metrics) {
  std::vector<const char*> names;
  for (const std::string& metric : metrics) names.push_back(metric.c_str());
  auto params = sized<CUpti_Profiler_Host_ConfigAddMetrics_Params>(
      CUpti_Profiler_Host_ConfigAddMetrics_Params_STRUCT_SIZE);
  params.pHostObject = object.get();
  params.ppMetricNames = names.data();
  params.numMetrics = names.size();
  return add_metrics(&params);
}

}  // namespace

HostMetrics::HostMetrics(std::unique_ptr<Api> api) : api_(std::move(api)) {}
HostMetrics::HostMetrics(HostMetrics&&) noexcept = default;
HostMetrics& HostMetrics::operator=(HostMetrics&&) noexcept = default;
HostMetrics::~HostMetrics() = default;

bool HostMetrics::in_this_build() {
  return true;
}

Result<HostMetrics> HostMetrics::open() {
  const auto library = CuptiLibrary::open();
  if (!library) return tl::unexpected(library.error());
  auto api = std::make_unique<Api>();
  std::string missing;
  const auto load = [&](auto*& function, const char* name) {
    function = library->function<std::remove_reference_t<decltype(*function)>>(name);
    if (function == nullptr) missing = name;
  };
  load(api->get_version, "cuptiGetVersion");
  load(api->get_result_string, "cuptiGetResultString");
  load(api->get_supported_chips, "cuptiProfilerHostGetSupportedChips");
  load(api->initialize, "cuptiProfilerHostInitialize");
  load(api->deinitialize, "cuptiProfilerHostDeinitialize");
  load(api->add_metrics, "cuptiProfilerHostConfigAddMetrics");
  load(api->get_image_size, "cuptiProfilerHostGetConfigImageSize");
  load(api->get_image, "cuptiProfilerHostGetConfigImage");
  load(api->get_passes, "cuptiProfilerHostGetNumOfPasses");
  if (!missing.empty())
    return failure(library->path() + " lacks " + missing,
                   "install CUPTI " + std::to_string(CUPTI_API_VERSION / 10000) + " or later");
  HostMetrics metrics(std::move(api));
  if (metrics.chips().empty())
    return failure(library->path() + " knows no chip: it does not find libnvperf_host.so",
                   "install the whole of CUPTI, libnvperf_host.so beside libcupti.so");
  return metrics;
}

std::uint32_t HostMetrics::version() const {
  std::uint32_t version = 0;
  (void)api_->get_version(&version);
  return version;
}

std::vector<std::string> HostMetrics::chips() const {
  auto params = sized<CUpti_Profiler_Host_GetSupportedChips_Params>(
      CUpti_Profiler_Host_GetSupportedChips_Params_STRUCT_SIZE);
  if (api_->get_supported_chips(&params) != CUPTI_SUCCESS) return {};
  return {params.ppChipNames, params.ppChipNames + params.numChips};
}

Result<std::uint64_t> HostMetrics::passes(const std::string& chip,
                                          std::span<const std::string> metrics) const {
  const auto failed = [this](const std::string& what, CUptiResult status) {
    const char* name = nullptr;
    (void)api_->get_result_string(status, &name);
    return failure(what + ": CUPTI error " + std::to_string(static_cast<int>(status)) + " (" +
                   (name != nullptr ? name : "?") + ")");
  };
  const HostObject object(api_->initialize, api_->deinitialize, chip);
  if (object.status() == CUPTI_ERROR_INVALID_CHIP_NAME)
    return failure("CUPTI " + std::to_string(version()) + " does not know the chip " + chip,
                   "it knows " + joined(chips()));
  if (object.status() != CUPTI_SUCCESS)
    return failed("the chip " + chip + " cannot be profiled", object.status());
  if (const CUptiResult status = add(api_->add_metrics, object, metrics); status != CUPTI_SUCCESS) {
    std::vector<std::string> unknown;
    for (const std::string& metric : metrics) {
      const HostObject alone(api_->initialize, api_->deinitialize, chip);
      if (add(api_->add_metrics, alone, std::span(&metric, 1)) != CUPTI_SUCCESS)
        unknown.push_back(metric);
    }
    return failed(chip + " lacks the metrics " + joined(unknown), status);
  }
  auto size = sized<CUpti_Profiler_Host_GetConfigImageSize_Params>(
      CUpti_Profiler_Host_GetConfigImageSize_Params_STRUCT_SIZE);
  size.pHostObject = object.get();
  if (const CUptiResult status = api_->get_image_size(&size); status != CUPTI_SUCCESS)
    return failed("no configuration for " + chip, status);
  std::vector<std::uint8_t> bytes(size.configImageSize);
  auto image = sized<CUpti_Profiler_Host_GetConfigImage_Params>(
      CUpti_Profiler_Host_GetConfigImage_Params_STRUCT_SIZE);
  image.pHostObject = object.get();
  image.configImageSize = bytes.size();
  image.pConfigImage = bytes.data();
  if (const CUptiResult status = api_->get_image(&image); status != CUPTI_SUCCESS)
    return failed("no configuration for " + chip, status);
  auto passes = sized<CUpti_Profiler_Host_GetNumOfPasses_Params>(
      CUpti_Profiler_Host_GetNumOfPasses_Params_STRUCT_SIZE);
  passes.configImageSize = bytes.size();
  passes.pConfigImage = bytes.data();
  if (const CUptiResult status = api_->get_passes(&passes); status != CUPTI_SUCCESS)
    return failed("no number of passes for " + chip, status);
  return passes.numOfPasses;
}

}  // namespace bops::cuda
