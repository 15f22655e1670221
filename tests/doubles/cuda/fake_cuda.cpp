// A driver library without a GPU: libcuda.so.1 for programs of the driver API. It loads
// CUDA_INJECTION64_PATH as the real one does, and "runs" the kernels of kernels.hpp.
#include <dlfcn.h>
#include <nvtx3/nvToolsExt.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <vector>
// Needs the one before.
#include <generated_nvtx_meta.h>

#include "tests/doubles/cuda/driver.hpp"

struct CUctx_st {
  CUdevice device;
};
struct CUmod_st {
  CUctx_st* context;
};
struct CUfunc_st {
  std::string name;
};
struct RecordedLaunch {
  std::string name;
  unsigned blocks, threads;
};
struct CUgraphNode_st {
  CUfunc_st* function = nullptr;  ///< of a kernel
  bool by_kernel = false;         ///< it was given as a CUkernel
  unsigned blocks = 0, threads = 0;
  CUgraph_st* child = nullptr;  ///< of a graph inside the graph
};
struct CUgraph_st {
  std::vector<CUgraphNode_st*> nodes;
};
struct CUgraphExec_st {
  struct Step {
    CUgraphNode_st* node;
    RecordedLaunch launch;
    bool enabled;
  };
  std::vector<Step> steps;
};
struct CUstream_st {
  bool capturing = false;
  CUgraph_st* graph = nullptr;
};

namespace {

using bops::cuda_double::Observer;

std::atomic<const Observer*> observer{nullptr};
std::atomic<std::uint32_t> calls{0};
pid_t initialised_in = 0;
thread_local std::vector<CUcontext> current;

CUcontext top() {
  return current.empty() ? nullptr : current.back();
}

/// Tells CUPTI of a call while it lasts.
class Call {
 public:
  Call(CUpti_CallbackId id, const char* name, const void* parameters, const char* kernel = nullptr)
      : id_(id) {
    data_.functionName = name;
    data_.functionParams = parameters;
    data_.symbolName = kernel;
    data_.context = top();
    data_.correlationId = ++calls;
    data_.correlationData = &correlation_;
    tell(CUPTI_API_ENTER);
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  CUresult end(CUresult result) {
    data_.functionReturnValue = &result;
    tell(CUPTI_API_EXIT);
    return result;
  }

 private:
  void tell(CUpti_ApiCallbackSite site) {
    data_.callbackSite = site;
    if (const Observer* told = observer.load()) told->on_call(id_, &data_);
  }
  CUpti_CallbackId id_;
  CUpti_CallbackData data_{};
  std::uint64_t correlation_ = 0;
};

void run(CUcontext context, const RecordedLaunch& launch) {
  if (const Observer* told = observer.load())
    told->on_kernel(context, launch.name.c_str(), launch.blocks, launch.threads);
}

CUresult ready() {
  if (initialised_in == 0) return CUDA_ERROR_NOT_INITIALIZED;
  return initialised_in == ::getpid() ? CUDA_SUCCESS : CUDA_ERROR_NOT_INITIALIZED;
}

void add_steps(const CUgraph_st& graph, CUgraphExec_st& executable) {
  for (CUgraphNode_st* node : graph.nodes)
    if (node->child != nullptr)
      add_steps(*node->child, executable);
    else
      executable.steps.push_back({node, {node->function->name, node->blocks, node->threads}, true});
}

CUgraph_st* copy_of(const CUgraph_st& graph) {
  auto* copy = new CUgraph_st;
  for (const CUgraphNode_st* node : graph.nodes) {
    copy->nodes.push_back(new CUgraphNode_st(*node));
    if (node->child != nullptr) copy->nodes.back()->child = copy_of(*node->child);
  }
  return copy;
}

void destroy(CUgraph_st* graph) {
  for (CUgraphNode_st* node : graph->nodes) {
    if (node->child != nullptr) destroy(node->child);
    delete node;
  }
  delete graph;
}

int device_count() {
  const char* count = bops::cuda_double::setting("devices");
  return count != nullptr ? std::atoi(count) : 1;
}

}  // namespace

extern "C" {

void fake_cuda_observe(const Observer* told) {
  observer.store(told);
}

void fake_cuda_nvtx_push(const char* name) {
  const nvtxRangePushA_params parameters{name};
  const CUpti_NvtxData data{"nvtxRangePushA", &parameters, nullptr};
  if (const Observer* told = observer.load()) told->on_nvtx(CUPTI_CBID_NVTX_nvtxRangePushA, &data);
}

void fake_cuda_nvtx_pop(void) {
  const CUpti_NvtxData data{"nvtxRangePop", nullptr, nullptr};
  if (const Observer* told = observer.load()) told->on_nvtx(CUPTI_CBID_NVTX_nvtxRangePop, &data);
}

void* fake_cuda_nvtx_register(const char* name) {
  static std::atomic<std::uintptr_t> strings{0};
  void* const handle = reinterpret_cast<void*>(++strings);
  const nvtxDomainRegisterStringA_params parameters{nullptr, name};
  const CUpti_NvtxData data{"nvtxDomainRegisterStringA", &parameters, &handle};
  if (const Observer* told = observer.load())
    told->on_nvtx(CUPTI_CBID_NVTX_nvtxDomainRegisterStringA, &data);
  return handle;
}

void fake_cuda_nvtx_push_registered(void* string) {
  nvtxEventAttributes_t event{};
  event.version = NVTX_VERSION;
  event.size = NVTX_EVENT_ATTRIB_STRUCT_SIZE;
  event.messageType = NVTX_MESSAGE_TYPE_REGISTERED;
  event.message.registered = static_cast<nvtxStringHandle_t>(string);
  const nvtxDomainRangePushEx_params parameters{nullptr, {&event}};
  const CUpti_NvtxData data{"nvtxDomainRangePushEx", &parameters, nullptr};
  if (const Observer* told = observer.load())
    told->on_nvtx(CUPTI_CBID_NVTX_nvtxDomainRangePushEx, &data);
}

CUresult cuInit(unsigned int) {
  static std::once_flag once;
  std::call_once(once, [] {
    initialised_in = ::getpid();
    const char* path = std::getenv("CUDA_INJECTION64_PATH");
    void* library = path != nullptr ? ::dlopen(path, RTLD_NOW | RTLD_LOCAL) : nullptr;
    if (library == nullptr) return;
    if (const auto start = reinterpret_cast<int (*)()>(::dlsym(library, "InitializeInjection")))
      (void)start();
  });
  return ready();
}

CUresult cuDriverGetVersion(int* version) {
  const char* other = bops::cuda_double::setting("cuda");
  *version = other != nullptr ? std::atoi(other) : 13000;
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetCount(int* count) {
  *count = device_count();
  return ready();
}

CUresult cuDeviceGet(CUdevice* device, int ordinal) {
  if (ordinal < 0 || ordinal >= device_count()) return CUDA_ERROR_INVALID_DEVICE;
  *device = ordinal;
  return ready();
}

CUresult cuDeviceGetName(char* name, int size, CUdevice device) {
  std::snprintf(name, static_cast<std::size_t>(size), "Double %d", device);
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetUuid_v2(CUuuid* uuid, CUdevice device) {
  std::memset(uuid->bytes, 0x10 + device, sizeof uuid->bytes);
  return CUDA_SUCCESS;
}

CUresult cuCtxCreate_v4(CUcontext* context, CUctxCreateParams*, unsigned int, CUdevice device) {
  if (const CUresult result = ready(); result != CUDA_SUCCESS) return result;
  *context = new CUctx_st{device};
  current.push_back(*context);
  if (const Observer* told = observer.load()) told->on_context(*context, true);
  return CUDA_SUCCESS;
}

CUresult cuCtxDestroy_v2(CUcontext context) {
  if (const Observer* told = observer.load()) told->on_context(context, false);
  std::erase(current, context);
  delete context;
  return CUDA_SUCCESS;
}

CUresult cuCtxSetCurrent(CUcontext context) {
  if (!current.empty()) current.pop_back();
  if (context != nullptr) current.push_back(context);
  return CUDA_SUCCESS;
}

CUresult cuCtxGetCurrent(CUcontext* context) {
  *context = top();
  return CUDA_SUCCESS;
}

CUresult cuCtxPushCurrent_v2(CUcontext context) {
  current.push_back(context);
  return CUDA_SUCCESS;
}

CUresult cuCtxPopCurrent_v2(CUcontext* context) {
  if (current.empty()) return CUDA_ERROR_INVALID_CONTEXT;
  *context = top();
  current.pop_back();
  return CUDA_SUCCESS;
}

CUresult cuCtxGetDevice(CUdevice* device) {
  if (top() == nullptr) return CUDA_ERROR_INVALID_CONTEXT;
  *device = top()->device;
  return CUDA_SUCCESS;
}

CUresult cuCtxSynchronize(void) {
  Call call(CUPTI_DRIVER_TRACE_CBID_cuCtxSynchronize, "cuCtxSynchronize", nullptr);
  return call.end(top() != nullptr ? CUDA_SUCCESS : CUDA_ERROR_INVALID_CONTEXT);
}

CUresult cuModuleLoadData(CUmodule* module, const void*) {
  *module = new CUmod_st{top()};
  return CUDA_SUCCESS;
}

CUresult cuModuleGetFunction(CUfunction* function, CUmodule, const char* name) {
  *function = new CUfunc_st{name};
  return CUDA_SUCCESS;
}

CUresult cuLaunchKernel(CUfunction function, unsigned int gx, unsigned int gy, unsigned int gz,
                        unsigned int bx, unsigned int by, unsigned int bz, unsigned int shared,
                        CUstream stream, void** parameters, void** extra) {
  const cuLaunchKernel_params told{function, gx,     gy,     gz,         bx,   by,
                                   bz,       shared, stream, parameters, extra};
  Call call(CUPTI_DRIVER_TRACE_CBID_cuLaunchKernel, "cuLaunchKernel", &told,
            function->name.c_str());
  if (top() == nullptr) return call.end(CUDA_ERROR_INVALID_CONTEXT);
  if (bx * by * bz > 1024) return call.end(CUDA_ERROR_INVALID_VALUE);
  const RecordedLaunch launch{function->name, gx * gy * gz, bx * by * bz};
  if (stream != nullptr && stream->capturing)
    stream->graph->nodes.push_back(
        new CUgraphNode_st{function, false, launch.blocks, launch.threads, nullptr});
  else
    run(top(), launch);
  return call.end(CUDA_SUCCESS);
}

CUresult cuMemAlloc_v2(CUdeviceptr* place, std::size_t size) {
  *place = reinterpret_cast<CUdeviceptr>(std::calloc(1, size));
  return CUDA_SUCCESS;
}

CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void* from, std::size_t size) {
  std::memcpy(reinterpret_cast<void*>(to), from, size);
  return CUDA_SUCCESS;
}

CUresult cuMemcpyDtoH_v2(void* to, CUdeviceptr from, std::size_t size) {
  std::memcpy(to, reinterpret_cast<const void*>(from), size);
  return CUDA_SUCCESS;
}

CUresult cuStreamCreate(CUstream* stream, unsigned int) {
  *stream = new CUstream_st;
  return CUDA_SUCCESS;
}

CUresult cuStreamBeginCapture_v2(CUstream stream, CUstreamCaptureMode) {
  Call call(CUPTI_DRIVER_TRACE_CBID_cuStreamBeginCapture_v2, "cuStreamBeginCapture", nullptr);
  stream->capturing = true;
  stream->graph = new CUgraph_st;
  return call.end(CUDA_SUCCESS);
}

CUresult cuStreamBeginCaptureToGraph(CUstream stream, CUgraph graph, const CUgraphNode*,
                                     const CUgraphEdgeData*, size_t, CUstreamCaptureMode) {
  Call call(CUPTI_DRIVER_TRACE_CBID_cuStreamBeginCaptureToGraph, "cuStreamBeginCaptureToGraph",
            nullptr);
  stream->capturing = true;
  stream->graph = graph;
  return call.end(CUDA_SUCCESS);
}

CUresult cuStreamEndCapture(CUstream stream, CUgraph* graph) {
  Call call(CUPTI_DRIVER_TRACE_CBID_cuStreamEndCapture, "cuStreamEndCapture", nullptr);
  stream->capturing = false;
  *graph = stream->graph;
  return call.end(CUDA_SUCCESS);
}

CUresult cuStreamIsCapturing(CUstream stream, CUstreamCaptureStatus* status) {
  *status = stream != nullptr && stream->capturing ? CU_STREAM_CAPTURE_STATUS_ACTIVE
                                                   : CU_STREAM_CAPTURE_STATUS_NONE;
  return CUDA_SUCCESS;
}

CUresult cuGraphCreate(CUgraph* graph, unsigned int) {
  *graph = new CUgraph_st;
  return CUDA_SUCCESS;
}

CUresult cuGraphDestroy(CUgraph graph) {
  destroy(graph);
  return CUDA_SUCCESS;
}

CUresult cuGraphAddKernelNode_v2(CUgraphNode* node, CUgraph graph, const CUgraphNode*, size_t,
                                 const CUDA_KERNEL_NODE_PARAMS* params) {
  auto* function =
      params->func != nullptr ? params->func : reinterpret_cast<CUfunc_st*>(params->kern);
  *node = new CUgraphNode_st{function, params->func == nullptr, params->gridDimX, params->blockDimX,
                             nullptr};
  graph->nodes.push_back(*node);
  return CUDA_SUCCESS;
}

CUresult cuGraphAddChildGraphNode(CUgraphNode* node, CUgraph graph, const CUgraphNode*, size_t,
                                  CUgraph child) {
  *node = new CUgraphNode_st;
  (*node)->child = copy_of(*child);
  graph->nodes.push_back(*node);
  return CUDA_SUCCESS;
}

CUresult cuGraphGetNodes(CUgraph graph, CUgraphNode* nodes, size_t* count) {
  if (const char* refused = bops::cuda_double::setting("graphs"))
    return CUresult(std::atoi(refused));
  for (size_t i = 0; nodes != nullptr && i < *count && i < graph->nodes.size(); ++i)
    nodes[i] = graph->nodes[i];
  *count = graph->nodes.size();
  return CUDA_SUCCESS;
}

CUresult cuGraphNodeGetType(CUgraphNode node, CUgraphNodeType* type) {
  *type = node->child != nullptr ? CU_GRAPH_NODE_TYPE_GRAPH : CU_GRAPH_NODE_TYPE_KERNEL;
  return CUDA_SUCCESS;
}

CUresult cuGraphKernelNodeGetParams_v2(CUgraphNode node, CUDA_KERNEL_NODE_PARAMS* params) {
  if (node->function == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *params = {};
  if (node->by_kernel)
    params->kern = reinterpret_cast<CUkernel>(node->function);
  else
    params->func = node->function;
  params->gridDimX = node->blocks;
  params->blockDimX = node->threads;
  return CUDA_SUCCESS;
}

CUresult cuGraphChildGraphNodeGetGraph(CUgraphNode node, CUgraph* graph) {
  *graph = node->child;
  return node->child != nullptr ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

CUresult cuFuncGetName(const char** name, CUfunction function) {
  *name = function->name.c_str();
  return CUDA_SUCCESS;
}

CUresult cuKernelGetName(const char** name, CUkernel kernel) {
  return cuFuncGetName(name, reinterpret_cast<CUfunction>(kernel));
}

CUresult cuGraphInstantiateWithFlags(CUgraphExec* executable, CUgraph graph,
                                     unsigned long long flags) {
  const cuGraphInstantiateWithFlags_params told{executable, graph, flags};
  Call call(CUPTI_DRIVER_TRACE_CBID_cuGraphInstantiateWithFlags, "cuGraphInstantiateWithFlags",
            &told);
  *executable = new CUgraphExec_st;
  add_steps(*graph, **executable);
  return call.end(CUDA_SUCCESS);
}

CUresult cuGraphExecUpdate_v2(CUgraphExec executable, CUgraph graph,
                              CUgraphExecUpdateResultInfo* info) {
  const cuGraphExecUpdate_v2_params told{executable, graph, info};
  Call call(CUPTI_DRIVER_TRACE_CBID_cuGraphExecUpdate_v2, "cuGraphExecUpdate_v2", &told);
  executable->steps.clear();
  add_steps(*graph, *executable);
  return call.end(CUDA_SUCCESS);
}

CUresult cuGraphExecKernelNodeSetParams_v2(CUgraphExec executable, CUgraphNode node,
                                           const CUDA_KERNEL_NODE_PARAMS* params) {
  const cuGraphExecKernelNodeSetParams_v2_params told{executable, node, params};
  Call call(CUPTI_DRIVER_TRACE_CBID_cuGraphExecKernelNodeSetParams_v2,
            "cuGraphExecKernelNodeSetParams_v2", &told);
  for (CUgraphExec_st::Step& step : executable->steps)
    if (step.node == node) step.launch = {params->func->name, params->gridDimX, params->blockDimX};
  return call.end(CUDA_SUCCESS);
}

CUresult cuGraphNodeSetEnabled(CUgraphExec executable, CUgraphNode node, unsigned int enabled) {
  const cuGraphNodeSetEnabled_params told{executable, node, enabled};
  Call call(CUPTI_DRIVER_TRACE_CBID_cuGraphNodeSetEnabled, "cuGraphNodeSetEnabled", &told);
  for (CUgraphExec_st::Step& step : executable->steps)
    if (step.node == node) step.enabled = enabled != 0;
  return call.end(CUDA_SUCCESS);
}

CUresult cuGraphExecDestroy(CUgraphExec executable) {
  const cuGraphExecDestroy_params told{executable};
  Call call(CUPTI_DRIVER_TRACE_CBID_cuGraphExecDestroy, "cuGraphExecDestroy", &told);
  delete executable;
  return call.end(CUDA_SUCCESS);
}

CUresult cuGraphLaunch(CUgraphExec executable, CUstream stream) {
  const cuGraphLaunch_params told{executable, stream};
  Call call(CUPTI_DRIVER_TRACE_CBID_cuGraphLaunch, "cuGraphLaunch", &told);
  for (const CUgraphExec_st::Step& step : executable->steps)
    if (step.enabled) run(top(), step.launch);
  return call.end(CUDA_SUCCESS);
}

}  // extern "C"
