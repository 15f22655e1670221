// A program of the driver API that does what its words say, in order:
//   context:D              a new context on device D, which becomes current
//   launch:KERNEL:B:T:N    N launches of KERNEL with B blocks of T threads
//   bad                    a launch that the driver refuses
//   sync                   cuCtxSynchronize
//   wait:PATH              goes on when there is a file of that name
//   graph:KERNEL:B:T:K:N   K launches recorded into a graph, which is launched N times
//   record:KERNEL:B:T:K    K launches recorded into the graph in hand
//   node:KERNEL:B:T        a node added to it
//   nest                   it becomes the only node of another one, which is in hand then
//   fresh                  it is destroyed; another, empty one is in hand
//   drop                   the graph to launch is destroyed
//   ready, update          a graph to launch is made of the one in hand, or changed to it
//   replace:N:KERNEL       the Nth node of the one to launch becomes another kernel
//   disable:N              its Nth node is switched off
//   play:N                 it is launched N times
//   push:NAME, pop         an NVTX range
//   string:NAME            a string registered with NVTX
//   range:N                an NVTX range that is named by the Nth of those, or by none that is
//   threads:KERNEL:B:T:N:M N launches by each of M threads in the current context
//   destroy                the current context ends; the one before it is current again
//   fork:WORD;WORD...      a child does those words in place of the rest, and is waited for
//   early:WORD;WORD...     as fork, before cuInit: must be the first word
//   exec:WORD;WORD...      this process becomes the program with those words
//   exit:N, _exit:N        ends; the second runs no handlers
//   signal:N               sends itself a signal
// Its output is one line: "done". What the driver refuses otherwise ends it with 99.
#include <cuda.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

extern "C" void fake_cuda_nvtx_push(const char* name);
extern "C" void fake_cuda_nvtx_pop(void);
extern "C" void* fake_cuda_nvtx_register(const char* name);
extern "C" void fake_cuda_nvtx_push_registered(void* string);

namespace {

using Words = std::vector<std::string>;

Words split(const std::string& text, char divider) {
  Words parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, divider);) parts.push_back(part);
  return parts;
}

unsigned number(const Words& parts, std::size_t index) {
  return static_cast<unsigned>(std::stoul(parts.at(index)));
}

void check(CUresult result) {
  if (result != CUDA_SUCCESS) std::_Exit(99);
}

CUfunction function(const std::string& name) {
  CUmodule module = nullptr;
  CUfunction found = nullptr;
  check(cuModuleLoadData(&module, ""));
  check(cuModuleGetFunction(&found, module, name.c_str()));
  return found;
}

void launch(const Words& parts) {
  const CUfunction kernel = function(parts.at(1));
  for (unsigned i = 0; i < number(parts, 4); ++i)
    check(cuLaunchKernel(kernel, number(parts, 2), 1, 1, number(parts, 3), 1, 1, 0, nullptr,
                         nullptr, nullptr));
}

void launch_by_threads(const Words& parts) {
  CUcontext context = nullptr;
  check(cuCtxGetCurrent(&context));
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < number(parts, 5); ++i)
    threads.emplace_back([&parts, context] {
      check(cuCtxSetCurrent(context));
      launch(parts);
    });
  for (std::thread& thread : threads) thread.join();
}

void launch_graph(const Words& parts) {
  CUstream stream = nullptr;
  CUgraph graph = nullptr;
  CUgraphExec executable = nullptr;
  const CUfunction kernel = function(parts.at(1));
  check(cuStreamCreate(&stream, 0));
  check(cuStreamBeginCapture_v2(stream, CU_STREAM_CAPTURE_MODE_GLOBAL));
  for (unsigned i = 0; i < number(parts, 4); ++i)
    check(cuLaunchKernel(kernel, number(parts, 2), 1, 1, number(parts, 3), 1, 1, 0, stream, nullptr,
                         nullptr));
  check(cuStreamEndCapture(stream, &graph));
  check(cuGraphInstantiateWithFlags(&executable, graph, 0));
  check(cuGraphDestroy(graph));
  for (unsigned i = 0; i < number(parts, 5); ++i) check(cuGraphLaunch(executable, stream));
}

CUgraph graph_in_hand = nullptr;
CUgraphExec graph_to_launch = nullptr;

CUgraph graph() {
  if (graph_in_hand == nullptr) check(cuGraphCreate(&graph_in_hand, 0));
  return graph_in_hand;
}

CUgraphNode node_of_graph(unsigned index) {
  std::size_t count = 0;
  check(cuGraphGetNodes(graph(), nullptr, &count));
  std::vector<CUgraphNode> nodes(count);
  check(cuGraphGetNodes(graph(), nodes.data(), &count));
  return nodes.at(index);
}

void record(const Words& parts) {
  CUstream stream = nullptr;
  check(cuStreamCreate(&stream, 0));
  check(cuStreamBeginCaptureToGraph(stream, graph(), nullptr, nullptr, 0,
                                    CU_STREAM_CAPTURE_MODE_GLOBAL));
  const CUfunction kernel = function(parts.at(1));
  for (unsigned i = 0; i < number(parts, 4); ++i)
    check(cuLaunchKernel(kernel, number(parts, 2), 1, 1, number(parts, 3), 1, 1, 0, stream, nullptr,
                         nullptr));
  check(cuStreamEndCapture(stream, &graph_in_hand));
}

/// Returns false where the word is about no graph in hand.
bool perform_on_graph(const std::string& verb, const Words& parts) {
  if (verb == "record") {
    record(parts);
  } else if (verb == "node") {
    CUDA_KERNEL_NODE_PARAMS params{};
    params.kern = reinterpret_cast<CUkernel>(function(parts.at(1)));
    params.gridDimX = number(parts, 2);
    params.blockDimX = number(parts, 3);
    CUgraphNode node = nullptr;
    check(cuGraphAddKernelNode(&node, graph(), nullptr, 0, &params));
  } else if (verb == "nest") {
    const CUgraph inner = graph();
    graph_in_hand = nullptr;
    CUgraphNode node = nullptr;
    check(cuGraphAddChildGraphNode(&node, graph(), nullptr, 0, inner));
    check(cuGraphDestroy(inner));
  } else if (verb == "ready") {
    check(cuGraphInstantiateWithFlags(&graph_to_launch, graph(), 0));
  } else if (verb == "update") {
    check(cuGraphExecUpdate(graph_to_launch, graph(), nullptr));
  } else if (verb == "replace") {
    CUDA_KERNEL_NODE_PARAMS params{};
    const CUgraphNode node = node_of_graph(number(parts, 1));
    check(cuGraphKernelNodeGetParams(node, &params));
    params.func = function(parts.at(2));
    check(cuGraphExecKernelNodeSetParams(graph_to_launch, node, &params));
  } else if (verb == "disable") {
    check(cuGraphNodeSetEnabled(graph_to_launch, node_of_graph(number(parts, 1)), 0));
  } else if (verb == "play") {
    for (unsigned i = 0; i < number(parts, 1); ++i) check(cuGraphLaunch(graph_to_launch, nullptr));
  } else if (verb == "fresh") {
    check(cuGraphDestroy(graph()));
    graph_in_hand = nullptr;
  } else if (verb == "drop") {
    check(cuGraphExecDestroy(graph_to_launch));
  } else {
    return false;
  }
  return true;
}

void perform(const Words& words, const char* program);

void in_child(const std::string& text, const char* program, bool initialise) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (initialise) check(cuInit(0));
    perform(split(text, ';'), program);
    std::exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (status != 0) std::_Exit(98);
}

void perform(const Words& words, const char* program) {
  std::vector<void*> strings;
  for (const std::string& word : words) {
    const Words parts = split(word, ':');
    const std::string& verb = parts.at(0);
    const std::string rest = word.size() > verb.size() ? word.substr(verb.size() + 1) : "";
    if (verb == "context") {
      CUcontext context = nullptr;
      CUdevice device = 0;
      check(cuDeviceGet(&device, static_cast<int>(number(parts, 1))));
      check(cuCtxCreate_v4(&context, nullptr, 0, device));
    } else if (verb == "launch") {
      launch(parts);
    } else if (verb == "bad") {
      if (cuLaunchKernel(function("saxpy"), 1, 1, 1, 2048, 1, 1, 0, nullptr, nullptr, nullptr) ==
          CUDA_SUCCESS)
        std::_Exit(97);
    } else if (verb == "sync") {
      check(cuCtxSynchronize());
    } else if (verb == "wait") {
      while (::access(rest.c_str(), F_OK) != 0) ::usleep(1000);
    } else if (perform_on_graph(verb, parts)) {
      continue;
    } else if (verb == "graph") {
      launch_graph(parts);
    } else if (verb == "push") {
      fake_cuda_nvtx_push(parts.at(1).c_str());
    } else if (verb == "string") {
      strings.push_back(fake_cuda_nvtx_register(parts.at(1).c_str()));
    } else if (verb == "range") {
      const unsigned index = number(parts, 1);
      fake_cuda_nvtx_push_registered(index < strings.size() ? strings[index] : nullptr);
    } else if (verb == "pop") {
      fake_cuda_nvtx_pop();
    } else if (verb == "threads") {
      launch_by_threads(parts);
    } else if (verb == "destroy") {
      CUcontext context = nullptr;
      check(cuCtxGetCurrent(&context));
      check(cuCtxDestroy_v2(context));
    } else if (verb == "fork") {
      in_child(rest, program, false);
    } else if (verb == "exec") {
      Words next{program};
      for (const std::string& each : split(rest, ';')) next.push_back(each);
      std::vector<char*> arguments;
      for (std::string& each : next) arguments.push_back(each.data());
      arguments.push_back(nullptr);
      ::execv(program, arguments.data());
      std::_Exit(96);
    } else if (verb == "exit") {
      std::exit(static_cast<int>(number(parts, 1)));
    } else if (verb == "_exit") {
      std::_Exit(static_cast<int>(number(parts, 1)));
    } else if (verb == "signal") {
      ::raise(static_cast<int>(number(parts, 1)));
    } else {
      std::fprintf(stderr, "no such word: %s\n", word.c_str());
      std::_Exit(95);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  Words words(argv + 1, argv + argc);
  if (!words.empty() && words.front().starts_with("early:")) {
    in_child(words.front().substr(6), argv[0], true);
    words.erase(words.begin());
  }
  check(cuInit(0));
  perform(words, argv[0]);
  std::puts("done");
}
