// The library that the driver loads into the target at cuInit (CUDA_INJECTION64_PATH). It counts
// what the target's kernels execute. It never makes a call of the target fail, never writes to its
// streams, and holds its exit up for no longer than kLongestExit.
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <ctime>
#include <map>
#include <mutex>

#include "collectors/cuda/injection/context_session.hpp"
#include "collectors/cuda/injection/graph_calls.hpp"
#include "collectors/cuda/injection/nvtx_ranges.hpp"

namespace bops::cuda::injection {
namespace {

constexpr long kLongestExitNs = 900'000'000;

/// Everything of this process. Never destroyed: callbacks may come until its last instruction.
struct State {
  CuptiApi api;
  Plan plan;
  WireWriter wire;
  CUpti_SubscriberHandle subscriber = nullptr;
  std::mutex mutex;  ///< guards all but `over` and `capturing`
  std::map<CUcontext, ContextSession*> sessions;
  GraphKernels graphs;
  std::uint32_t contexts = 0;
  std::atomic<bool> over{false};
  std::atomic<int> capturing{0};  ///< streams that record a graph: the GPU must not be waited for
};

State* state = nullptr;

/// CUPTI's own work in a callback calls the driver, which calls back.
thread_local bool inside = false;
/// This thread is between the begin and the end of a launch: CUPTI's correlation id of it, and
/// whether it is. In a profile it holds the mutex meanwhile: the order of the ranges is that of the
/// launches. What CUPTI itself calls to replay the kernel is nested in it, and passed over.
thread_local std::uint32_t launch_id = 0;
thread_local bool launching = false;

class Inside {
 public:
  Inside() { inside = true; }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;
  ~Inside() { inside = false; }
};

ContextSession& session_of(CUcontext context) {
  ContextSession*& session = state->sessions[context];
  if (session == nullptr)
    session = new ContextSession(state->api, state->plan, state->wire, context, ++state->contexts);
  return *session;
}

void end_context(CUcontext context) {
  const std::scoped_lock lock(state->mutex);
  const auto session = state->sessions.find(context);
  if (session == state->sessions.end()) return;
  session->second->close();
  delete session->second;
  state->sessions.erase(session);
}

enum class Call : std::uint8_t { kOther, kLaunch, kWait, kCaptureBegin, kCaptureEnd };

struct LaunchCall {
  Call call = Call::kOther;
  CUstream stream = nullptr;
  Launch launch{};
  CUgraphExec graph = nullptr;
};

Launch shape(const unsigned int (&size)[6]) {
  return {{}, {}, {size[0], size[1], size[2]}, {size[3], size[4], size[5]}, 0};
}

/// The parameters of the _ptsz variants are those of the plain ones.
LaunchCall classify(CUpti_CallbackId id, const void* parameters) {
  switch (id) {
    case CUPTI_DRIVER_TRACE_CBID_cuLaunchKernel:
    case CUPTI_DRIVER_TRACE_CBID_cuLaunchKernel_ptsz: {
      const auto& p = *static_cast<const cuLaunchKernel_params*>(parameters);
      return {Call::kLaunch, p.hStream,
              shape({p.gridDimX, p.gridDimY, p.gridDimZ, p.blockDimX, p.blockDimY, p.blockDimZ})};
    }
    case CUPTI_DRIVER_TRACE_CBID_cuLaunchKernelEx:
    case CUPTI_DRIVER_TRACE_CBID_cuLaunchKernelEx_ptsz: {
      const CUlaunchConfig* p = static_cast<const cuLaunchKernelEx_params*>(parameters)->config;
      if (p == nullptr) return {};
      return {
          Call::kLaunch, p->hStream,
          shape({p->gridDimX, p->gridDimY, p->gridDimZ, p->blockDimX, p->blockDimY, p->blockDimZ})};
    }
    case CUPTI_DRIVER_TRACE_CBID_cuLaunchCooperativeKernel:
    case CUPTI_DRIVER_TRACE_CBID_cuLaunchCooperativeKernel_ptsz: {
      const auto& p = *static_cast<const cuLaunchCooperativeKernel_params*>(parameters);
      return {Call::kLaunch, p.hStream,
              shape({p.gridDimX, p.gridDimY, p.gridDimZ, p.blockDimX, p.blockDimY, p.blockDimZ})};
    }
    case CUPTI_DRIVER_TRACE_CBID_cuGraphLaunch:
    case CUPTI_DRIVER_TRACE_CBID_cuGraphLaunch_ptsz: {
      const auto& p = *static_cast<const cuGraphLaunch_params*>(parameters);
      return {Call::kLaunch, p.hStream, {kGraph, {}, {}, {}, 0}, p.hGraph};
    }
    case CUPTI_DRIVER_TRACE_CBID_cuCtxSynchronize:
    case CUPTI_DRIVER_TRACE_CBID_cuCtxSynchronize_v2:
    case CUPTI_DRIVER_TRACE_CBID_cuStreamSynchronize:
    case CUPTI_DRIVER_TRACE_CBID_cuStreamSynchronize_ptsz:
    case CUPTI_DRIVER_TRACE_CBID_cuEventSynchronize: return {Call::kWait};
    case CUPTI_DRIVER_TRACE_CBID_cuStreamBeginCapture:
    case CUPTI_DRIVER_TRACE_CBID_cuStreamBeginCapture_ptsz:
    case CUPTI_DRIVER_TRACE_CBID_cuStreamBeginCapture_v2:
    case CUPTI_DRIVER_TRACE_CBID_cuStreamBeginCapture_v2_ptsz:
    case CUPTI_DRIVER_TRACE_CBID_cuStreamBeginCaptureToGraph:
    case CUPTI_DRIVER_TRACE_CBID_cuStreamBeginCaptureToGraph_ptsz: return {Call::kCaptureBegin};
    case CUPTI_DRIVER_TRACE_CBID_cuStreamEndCapture:
    case CUPTI_DRIVER_TRACE_CBID_cuStreamEndCapture_ptsz: return {Call::kCaptureEnd};
    default: return {};
  }
}

/// A launch into a stream that records is none yet.
bool is_recorded(CUstream stream) {
  if (state->capturing.load() == 0) return false;
  CUstreamCaptureStatus status = CU_STREAM_CAPTURE_STATUS_NONE;
  return state->api.cuStreamIsCapturing(stream, &status) == CUDA_SUCCESS &&
         status != CU_STREAM_CAPTURE_STATUS_NONE;
}

void before_launch(LaunchCall call, const CUpti_CallbackData& data) {
  if (data.symbolName != nullptr && call.launch.kernel.empty())
    call.launch.kernel = data.symbolName;
  if (call.launch.kernel.empty()) call.launch.kernel = "[unnamed]";
  if (state->plan.profile) call.launch.ranges = current_ranges();
  state->mutex.lock();
  if (call.graph != nullptr) call.launch.graph = state->graphs.id_of(call.graph, state->wire);
  ContextSession& session = session_of(data.context);
  // The first launch sets the counting up, which waits for the GPU.
  if (state->capturing.load() == 0) {
    if (call.launch.kernel == kGraph) session.harvest_before_graph();
    session.harvest_if_due();
  }
  session.before_launch(std::move(call.launch));
  launching = true;
  launch_id = data.correlationId;
  if (!state->plan.profile) state->mutex.unlock();
}

void after_launch(const CUpti_CallbackData& data) {
  launching = false;
  const auto* result = static_cast<const CUresult*>(data.functionReturnValue);
  if (!state->plan.profile) state->mutex.lock();
  if (const auto session = state->sessions.find(data.context); session != state->sessions.end())
    session->second->after_launch(result == nullptr || *result == CUDA_SUCCESS);
  state->mutex.unlock();
}

void on_driver_call(CUpti_CallbackId id, const CUpti_CallbackData& data) {
  const LaunchCall call = classify(id, data.functionParams);
  const bool enter = data.callbackSite == CUPTI_API_ENTER;
  if (launching && (enter || call.call != Call::kLaunch || data.correlationId != launch_id)) return;
  if (!launching && !enter && call.call == Call::kLaunch) return;
  switch (call.call) {
    case Call::kLaunch:
      if (!enter)
        after_launch(data);
      else if (data.context != nullptr && !is_recorded(call.stream))
        before_launch(call, data);
      break;
    case Call::kWait:
      if (!enter && data.context != nullptr && state->capturing.load() == 0) {
        const std::scoped_lock lock(state->mutex);
        if (const auto found = state->sessions.find(data.context); found != state->sessions.end())
          found->second->harvest_if_due();
      }
      break;
    case Call::kCaptureBegin:
      if (enter) ++state->capturing;
      break;
    case Call::kCaptureEnd:
      if (!enter && state->capturing.load() > 0) --state->capturing;
      break;
    case Call::kOther:
      if (state->plan.profile) note_graph_call(state->api, id, data, state->mutex, state->graphs);
      break;
  }
}

void CUPTIAPI on_callback(void* /*user*/, CUpti_CallbackDomain domain, CUpti_CallbackId id,
                          const void* data) {
  // The end of a launch that holds the mutex is taken in any case.
  if (inside || data == nullptr || (state->over.load() && !launching)) return;
  const Inside guard;
  if (domain == CUPTI_CB_DOMAIN_DRIVER_API)
    on_driver_call(id, *static_cast<const CUpti_CallbackData*>(data));
  else if (domain == CUPTI_CB_DOMAIN_NVTX)
    note_nvtx(id, *static_cast<const CUpti_NvtxData*>(data));
  else if (domain == CUPTI_CB_DOMAIN_RESOURCE && id == CUPTI_CBID_RESOURCE_CONTEXT_DESTROY_STARTING)
    end_context(static_cast<const CUpti_ResourceData*>(data)->context);
}

bool enable(CUpti_CallbackDomain domain, CUpti_CallbackId id) {
  const CUptiResult result = state->api.cuptiEnableCallback(1, state->subscriber, domain, id);
  if (result == CUPTI_SUCCESS) return true;
  write_problem(state->api, state->wire, 0, result, "cuptiEnableCallback", "");
  return false;
}

/// Tells who is in the way where CUPTI knows.
bool subscribe() {
  std::string more;
  CUptiResult result = CUPTI_ERROR_NOT_INITIALIZED;
  if (state->api.cuptiSubscribe_v2 != nullptr) {
    char holder[CUPTI_OLD_SUBSCRIBER_NAME_MIN_LEN * 2] = "";
    CUpti_SubscriberParams params{};
    params.structSize = CUpti_SubscriberParams_STRUCT_SIZE;
    params.subscriberName = "bops";
    params.oldSubscriberName = holder;
    params.oldSubscriberSize = sizeof holder;
    result = state->api.cuptiSubscribe_v2(&state->subscriber, on_callback, nullptr, &params);
    holder[sizeof holder - 1] = '\0';
    if (result != CUPTI_SUCCESS) more = holder;
  } else {
    result = state->api.cuptiSubscribe(&state->subscriber, on_callback, nullptr);
  }
  if (result == CUPTI_SUCCESS) return true;
  write_problem(state->api, state->wire, 0, result, "cuptiSubscribe", more);
  return false;
}

bool enable_callbacks() {
  constexpr CUpti_CallbackId kDriverCalls[] = {
      CUPTI_DRIVER_TRACE_CBID_cuLaunchKernel,
      CUPTI_DRIVER_TRACE_CBID_cuLaunchKernel_ptsz,
      CUPTI_DRIVER_TRACE_CBID_cuLaunchKernelEx,
      CUPTI_DRIVER_TRACE_CBID_cuLaunchKernelEx_ptsz,
      CUPTI_DRIVER_TRACE_CBID_cuLaunchCooperativeKernel,
      CUPTI_DRIVER_TRACE_CBID_cuLaunchCooperativeKernel_ptsz,
      CUPTI_DRIVER_TRACE_CBID_cuGraphLaunch,
      CUPTI_DRIVER_TRACE_CBID_cuGraphLaunch_ptsz,
      CUPTI_DRIVER_TRACE_CBID_cuCtxSynchronize,
      CUPTI_DRIVER_TRACE_CBID_cuCtxSynchronize_v2,
      CUPTI_DRIVER_TRACE_CBID_cuStreamSynchronize,
      CUPTI_DRIVER_TRACE_CBID_cuStreamSynchronize_ptsz,
      CUPTI_DRIVER_TRACE_CBID_cuEventSynchronize,
      CUPTI_DRIVER_TRACE_CBID_cuStreamBeginCapture,
      CUPTI_DRIVER_TRACE_CBID_cuStreamBeginCapture_ptsz,
      CUPTI_DRIVER_TRACE_CBID_cuStreamBeginCapture_v2,
      CUPTI_DRIVER_TRACE_CBID_cuStreamBeginCapture_v2_ptsz,
      CUPTI_DRIVER_TRACE_CBID_cuStreamBeginCaptureToGraph,
      CUPTI_DRIVER_TRACE_CBID_cuStreamBeginCaptureToGraph_ptsz,
      CUPTI_DRIVER_TRACE_CBID_cuStreamEndCapture,
      CUPTI_DRIVER_TRACE_CBID_cuStreamEndCapture_ptsz,
  };
  if (!enable(CUPTI_CB_DOMAIN_RESOURCE, CUPTI_CBID_RESOURCE_CONTEXT_DESTROY_STARTING)) return false;
  for (const CUpti_CallbackId call : kDriverCalls)
    if (!enable(CUPTI_CB_DOMAIN_DRIVER_API, call)) return false;
  if (!state->plan.profile) return true;
  for (const CUpti_CallbackId call : kGraphCalls)
    if (!enable(CUPTI_CB_DOMAIN_DRIVER_API, call)) return false;
  for (const CUpti_CallbackId call :
       {CUPTI_CBID_NVTX_nvtxRangePushA, CUPTI_CBID_NVTX_nvtxRangePushW,
        CUPTI_CBID_NVTX_nvtxRangePushEx, CUPTI_CBID_NVTX_nvtxRangePop,
        CUPTI_CBID_NVTX_nvtxDomainRangePushEx, CUPTI_CBID_NVTX_nvtxDomainRangePop,
        CUPTI_CBID_NVTX_nvtxDomainRegisterStringA, CUPTI_CBID_NVTX_nvtxDomainRegisterStringW})
    if (!enable(CUPTI_CB_DOMAIN_NVTX, call)) return false;
  return true;
}

/// Contexts that are not destroyed by the end are flushed here.
void flush_all() {
  const Inside guard;
  const std::scoped_lock lock(state->mutex);
  for (auto& [context, session] : state->sessions) {
    if (state->api.cuCtxPushCurrent_v2(context) != CUDA_SUCCESS) {
      write_problem(state->api, state->wire, 0, 0, "cuCtxPushCurrent",
                    "a context is no longer usable at the end of the process");
      continue;
    }
    session->close();
    CUcontext popped = nullptr;
    (void)state->api.cuCtxPopCurrent_v2(&popped);
  }
  (void)state->api.cuptiUnsubscribe(state->subscriber);
  state->wire.add(Record(wire::RecordType::kEnd));
  state->wire.flush();
}

/// How far the flush at the end has come. Leaked: its thread may outlive the wait for it.
struct Flush {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
  bool done = false;
};

void* flush_thread(void* argument) {
  auto* flush = static_cast<Flush*>(argument);
  flush_all();
  pthread_mutex_lock(&flush->mutex);
  flush->done = true;
  pthread_cond_signal(&flush->changed);
  pthread_mutex_unlock(&flush->mutex);
  return nullptr;
}

/// A GPU that does not come to an end must not hold up the process's: the flush is a thread's, and
/// is given up after kLongestExitNs. What it has not written by then is missed by the launcher,
/// which finds no end record.
void at_exit() {
  if (state->over.exchange(true)) return;
  auto* flush = new Flush;
  pthread_condattr_t clock;
  pthread_condattr_init(&clock);
  pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
  pthread_cond_init(&flush->changed, &clock);
  timespec until{};
  ::clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_nsec += kLongestExitNs;
  until.tv_sec += until.tv_nsec / 1'000'000'000;
  until.tv_nsec %= 1'000'000'000;
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // the target's handlers run on its own threads
  pthread_t thread{};
  const bool started = pthread_create(&thread, nullptr, flush_thread, flush) == 0;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (!started) return;
  pthread_detach(thread);
  pthread_mutex_lock(&flush->mutex);
  while (!flush->done && pthread_cond_timedwait(&flush->changed, &flush->mutex, &until) == 0) {
  }
  pthread_mutex_unlock(&flush->mutex);
}

/// A child of fork cannot use its parent's GPU, and has no part in its file.
void in_child() {
  state->over.store(true);
  state->wire.abandon();
}

void initialize() {
  state = new State;
  if (!read_plan(std::getenv(wire::kPlanVariable), state->plan)) return;
  if (!state->wire.create(state->plan.output)) return;
  std::string why;
  if (!state->api.load(state->plan.cupti, why)) {
    write_problem(state->api, state->wire, 0, 0, "dlopen", why);
    return;
  }
  if (!subscribe()) return;
  if (!enable_callbacks()) {
    (void)state->api.cuptiUnsubscribe(state->subscriber);
    return;
  }
  pthread_atfork(nullptr, nullptr, in_child);
  std::atexit(at_exit);
}

}  // namespace
}  // namespace bops::cuda::injection

/// What the driver calls; 1: success. Whatever goes wrong here is no concern of the target.
// NOLINTNEXTLINE(readability-identifier-naming): the driver's name for it
extern "C" __attribute__((visibility("default"))) int InitializeInjection(void) {
  static std::atomic<bool> done{false};
  if (!done.exchange(true)) bops::cuda::injection::initialize();
  return 1;
}
