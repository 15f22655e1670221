#include "collectors/cuda/injection/graph_calls.hpp"

namespace bops::cuda::injection {
namespace {

class Changes {
 public:
  Changes(const CuptiApi& api, std::mutex& guard, GraphKernels& graphs)
      : api_(api), guard_(guard), graphs_(graphs) {}

  void made(CUgraphExec executable, CUgraph graph) {
    std::vector<GraphNode> nodes;
    const bool known = read_graph(api_, graph, nodes);
    const std::scoped_lock lock(guard_);
    if (known)
      graphs_.set(executable, nodes);
    else
      graphs_.forget(executable);
  }
  void updated(CUgraphExec executable, CUgraph graph) {
    std::vector<GraphNode> nodes;
    const bool known = read_graph(api_, graph, nodes);
    const std::scoped_lock lock(guard_);
    if (known)
      graphs_.update(executable, nodes);
    else
      graphs_.forget(executable);
  }
  void replaced(CUgraphExec executable, CUgraphNode node, CUfunction function, CUkernel kernel) {
    const std::string name = kernel_name(api_, function, kernel);
    const std::scoped_lock lock(guard_);
    graphs_.replace(executable, node, name);
  }
  void enabled(CUgraphExec executable, CUgraphNode node, bool enabled) {
    const std::scoped_lock lock(guard_);
    graphs_.enable(executable, node, enabled);
  }
  void forgotten(CUgraphExec executable) {
    const std::scoped_lock lock(guard_);
    graphs_.forget(executable);
  }

 private:
  const CuptiApi& api_;
  std::mutex& guard_;
  GraphKernels& graphs_;
};

template <class Parameters>
const Parameters& parameters_of(const CUpti_CallbackData& data) {
  return *static_cast<const Parameters*>(data.functionParams);
}

}  // namespace

void note_graph_call(const CuptiApi& api, CUpti_CallbackId id, const CUpti_CallbackData& data,
                     std::mutex& guard, GraphKernels& graphs) {
  if (data.functionParams == nullptr) return;
  Changes changes(api, guard, graphs);
  // As soon as it is destroyed, another one may have its address.
  if (id == CUPTI_DRIVER_TRACE_CBID_cuGraphExecDestroy) {
    if (data.callbackSite == CUPTI_API_ENTER)
      changes.forgotten(parameters_of<cuGraphExecDestroy_params>(data).hGraphExec);
    return;
  }
  const auto* result = static_cast<const CUresult*>(data.functionReturnValue);
  if (data.callbackSite == CUPTI_API_ENTER || (result != nullptr && *result != CUDA_SUCCESS))
    return;
  switch (id) {
    // Their first two parameters are the same.
    case CUPTI_DRIVER_TRACE_CBID_cuGraphInstantiate:
    case CUPTI_DRIVER_TRACE_CBID_cuGraphInstantiate_v2:
    case CUPTI_DRIVER_TRACE_CBID_cuGraphInstantiateWithFlags:
    case CUPTI_DRIVER_TRACE_CBID_cuGraphInstantiateWithParams:
    case CUPTI_DRIVER_TRACE_CBID_cuGraphInstantiateWithParams_ptsz: {
      const auto& p = parameters_of<cuGraphInstantiateWithFlags_params>(data);
      if (p.phGraphExec != nullptr) changes.made(*p.phGraphExec, p.hGraph);
      break;
    }
    case CUPTI_DRIVER_TRACE_CBID_cuGraphExecUpdate:
    case CUPTI_DRIVER_TRACE_CBID_cuGraphExecUpdate_v2: {
      const auto& p = parameters_of<cuGraphExecUpdate_v2_params>(data);
      changes.updated(p.hGraphExec, p.hGraph);
      break;
    }
    case CUPTI_DRIVER_TRACE_CBID_cuGraphExecKernelNodeSetParams: {
      const auto& p = parameters_of<cuGraphExecKernelNodeSetParams_params>(data);
      changes.replaced(p.hGraphExec, p.hNode, p.nodeParams->func, nullptr);
      break;
    }
    case CUPTI_DRIVER_TRACE_CBID_cuGraphExecKernelNodeSetParams_v2: {
      const auto& p = parameters_of<cuGraphExecKernelNodeSetParams_v2_params>(data);
      changes.replaced(p.hGraphExec, p.hNode, p.nodeParams->func, p.nodeParams->kern);
      break;
    }
    case CUPTI_DRIVER_TRACE_CBID_cuGraphExecNodeSetParams: {
      const auto& p = parameters_of<cuGraphExecNodeSetParams_params>(data);
      if (p.nodeParams->type == CU_GRAPH_NODE_TYPE_KERNEL)
        changes.replaced(p.hGraphExec, p.hNode, p.nodeParams->kernel.func,
                         p.nodeParams->kernel.kern);
      else if (p.nodeParams->type == CU_GRAPH_NODE_TYPE_GRAPH)
        changes.forgotten(p.hGraphExec);
      break;
    }
    case CUPTI_DRIVER_TRACE_CBID_cuGraphExecChildGraphNodeSetParams:
      changes.forgotten(parameters_of<cuGraphExecChildGraphNodeSetParams_params>(data).hGraphExec);
      break;
    case CUPTI_DRIVER_TRACE_CBID_cuGraphNodeSetEnabled: {
      const auto& p = parameters_of<cuGraphNodeSetEnabled_params>(data);
      changes.enabled(p.hGraphExec, p.hNode, p.isEnabled != 0);
      break;
    }
    default: break;
  }
}

}  // namespace bops::cuda::injection
