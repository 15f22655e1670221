// Which kernels are in the graphs that the target launches: a profile counts a graph as a whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "collectors/cuda/injection/cupti_api.hpp"
#include "collectors/cuda/injection/wire_writer.hpp"

namespace bops::cuda::injection {

/// A kernel of a graph, or a part of it of which only the program's run tells what it executes.
struct GraphNode {
  CUgraphNode node = nullptr;
  std::string kernel;
};

/// The nodes of a graph that run on the GPU, those of the graphs inside it included; asks the
/// driver, in the thread that is at this graph. False where the driver does not tell all of them,
/// or where they are too many to keep.
[[nodiscard]] bool read_graph(const CuptiApi& api, CUgraph graph, std::vector<GraphNode>& nodes);

/// The name of a kernel, "[unknown]" where the driver does not tell it.
[[nodiscard]] std::string kernel_name(const CuptiApi& api, CUfunction function, CUkernel kernel);

/// The graphs that are ready to be launched. Not for several threads at once.
class GraphKernels {
 public:
  /// The graph was made of these nodes.
  void set(CUgraphExec graph, const std::vector<GraphNode>& nodes);
  /// It is made of the kernels of these nodes now; its own have handles that are not known.
  void update(CUgraphExec graph, const std::vector<GraphNode>& nodes);
  /// A node of it became another kernel, or was switched on or off.
  void replace(CUgraphExec graph, CUgraphNode node, const std::string& kernel);
  void enable(CUgraphExec graph, CUgraphNode node, bool enabled);
  /// What is in it is not known any more.
  void forget(CUgraphExec graph);
  /// The id of what it executes, written before it is used for the first time; 0: not known.
  [[nodiscard]] std::uint32_t id_of(CUgraphExec graph, WireWriter& wire);

 private:
  struct Node {
    const std::string* kernel = nullptr;  ///< in `names_`
    bool enabled = true;
  };
  struct Graph {
    std::map<CUgraphNode, Node> nodes;
    std::uint32_t id = 0;  ///< 0: to be found anew
    bool updated = false;
  };
  using Content = std::map<std::string, std::uint64_t>;  ///< kernels, and how often each is in it
  /// The node, if it is known which one that is; else the graph is forgotten.
  [[nodiscard]] Node* find(CUgraphExec graph, CUgraphNode node);

  std::set<std::string> names_;
  std::map<CUgraphExec, Graph> graphs_;
  std::map<Content, std::uint32_t> ids_;
  std::size_t nodes_ = 0;  ///< of all graphs
};

}  // namespace bops::cuda::injection
