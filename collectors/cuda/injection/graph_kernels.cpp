#include "collectors/cuda/injection/graph_kernels.hpp"

#include <algorithm>

#include "collectors/cuda/wire.hpp"

namespace bops::cuda::injection {
namespace {

constexpr std::size_t kMostNodes = 1'000'000;  ///< of all graphs: 100 bytes each or so
constexpr std::size_t kMostContents = 10'000;  ///< a program may make graphs as it goes
constexpr int kDeepest = 16;                   ///< graphs inside graphs
constexpr const char* kUnknown = "[unknown]";
constexpr const char* kOthers = "[others]";
/// A body that runs any number of times, of which the driver does not tell what is in it.
constexpr const char* kConditional = "[conditional]";

bool can_read(const CuptiApi& api) {
  return api.cuGraphGetNodes != nullptr && api.cuGraphNodeGetType != nullptr &&
         api.cuGraphKernelNodeGetParams_v2 != nullptr && api.cuFuncGetName != nullptr &&
         api.cuKernelGetName != nullptr && api.cuGraphChildGraphNodeGetGraph != nullptr;
}

bool read(const CuptiApi& api, CUgraph graph, int depth, std::vector<GraphNode>& found) {
  std::size_t size = 0;
  if (depth > kDeepest || api.cuGraphGetNodes(graph, nullptr, &size) != CUDA_SUCCESS ||
      size + found.size() > kMostNodes)
    return false;
  std::vector<CUgraphNode> nodes(size);
  if (size > 0 && api.cuGraphGetNodes(graph, nodes.data(), &size) != CUDA_SUCCESS) return false;
  for (CUgraphNode_st* const node : nodes) {
    CUgraphNodeType type = CU_GRAPH_NODE_TYPE_EMPTY;
    if (api.cuGraphNodeGetType(node, &type) != CUDA_SUCCESS) return false;
    if (type == CU_GRAPH_NODE_TYPE_KERNEL) {
      CUDA_KERNEL_NODE_PARAMS params{};
      if (api.cuGraphKernelNodeGetParams_v2(node, &params) != CUDA_SUCCESS) return false;
      found.push_back({node, kernel_name(api, params.func, params.kern)});
    } else if (type == CU_GRAPH_NODE_TYPE_GRAPH) {
      CUgraph child = nullptr;
      if (api.cuGraphChildGraphNodeGetGraph(node, &child) != CUDA_SUCCESS ||
          !read(api, child, depth + 1, found))
        return false;
    } else if (type == CU_GRAPH_NODE_TYPE_CONDITIONAL) {
      found.push_back({node, kConditional});
    }
  }
  return true;
}

}  // namespace

bool read_graph(const CuptiApi& api, CUgraph graph, std::vector<GraphNode>& nodes) {
  return can_read(api) && read(api, graph, 0, nodes);
}

std::string kernel_name(const CuptiApi& api, CUfunction function, CUkernel kernel) {
  const char* name = nullptr;
  CUresult result = CUDA_ERROR_INVALID_VALUE;
  if (function != nullptr && api.cuFuncGetName != nullptr)
    result = api.cuFuncGetName(&name, function);
  else if (kernel != nullptr && api.cuKernelGetName != nullptr)
    result = api.cuKernelGetName(&name, kernel);
  return result == CUDA_SUCCESS && name != nullptr ? name : kUnknown;
}

void GraphKernels::set(CUgraphExec graph, const std::vector<GraphNode>& nodes) {
  forget(graph);
  if (nodes_ + nodes.size() > kMostNodes) return;
  Graph& made = graphs_[graph];
  for (const GraphNode& node : nodes)
    made.nodes[node.node] = {&*names_.insert(node.kernel).first, true};
  nodes_ += made.nodes.size();
}

void GraphKernels::update(CUgraphExec graph, const std::vector<GraphNode>& nodes) {
  const auto found = graphs_.find(graph);
  if (found == graphs_.end()) return;
  // Which of the new nodes are switched off then, is not told.
  const bool all_enabled = std::all_of(found->second.nodes.begin(), found->second.nodes.end(),
                                       [](const auto& node) { return node.second.enabled; });
  if (!all_enabled) return forget(graph);
  set(graph, nodes);
  if (const auto made = graphs_.find(graph); made != graphs_.end()) made->second.updated = true;
}

GraphKernels::Node* GraphKernels::find(CUgraphExec graph, CUgraphNode node) {
  const auto found = graphs_.find(graph);
  if (found == graphs_.end()) return nullptr;
  const auto place = found->second.nodes.find(node);
  if (place == found->second.nodes.end() || found->second.updated) {
    forget(graph);
    return nullptr;
  }
  found->second.id = 0;
  return &place->second;
}

void GraphKernels::replace(CUgraphExec graph, CUgraphNode node, const std::string& kernel) {
  if (Node* place = find(graph, node)) place->kernel = &*names_.insert(kernel).first;
}

void GraphKernels::enable(CUgraphExec graph, CUgraphNode node, bool enabled) {
  const auto found = graphs_.find(graph);
  if (found == graphs_.end()) return;
  // One that is not kept is no kernel: it may be a copy.
  if (!found->second.updated && !found->second.nodes.contains(node)) return;
  if (Node* place = find(graph, node)) place->enabled = enabled;
}

void GraphKernels::forget(CUgraphExec graph) {
  const auto found = graphs_.find(graph);
  if (found == graphs_.end()) return;
  nodes_ -= found->second.nodes.size();
  graphs_.erase(found);
}

std::uint32_t GraphKernels::id_of(CUgraphExec graph, WireWriter& wire) {
  const auto found = graphs_.find(graph);
  if (found == graphs_.end()) return 0;
  if (found->second.id != 0) return found->second.id;
  Content content;
  for (const auto& [node, kernel] : found->second.nodes)
    if (kernel.enabled)
      ++content[content.size() < wire::kMostGraphKernels || content.contains(*kernel.kernel)
                    ? *kernel.kernel
                    : kOthers];
  const bool is_full = ids_.size() >= kMostContents;
  if (content.empty() || (is_full && !ids_.contains(content))) return 0;
  const auto [place, is_new] =
      ids_.try_emplace(content, static_cast<std::uint32_t>(ids_.size() + 1));
  if (is_new) {
    Record record(wire::RecordType::kGraph);
    record.u32(place->second).u32(static_cast<std::uint32_t>(content.size()));
    for (const auto& [kernel, times] : content) record.text(kernel).u64(times);
    wire.add(std::move(record));
  }
  return found->second.id = place->second;
}

}  // namespace bops::cuda::injection
