// bops-gpu-workload list [KERNEL SIZE] | run KERNEL [SIZE]: runs the reference kernels of GPUs
// through the driver alone, which it loads itself, so that it can be built and listed where there
// is none.
#include <cuda.h>
#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "workloads/cuda/gpu_kernels.hpp"

namespace {

using namespace bops::gpu_workload;

[[noreturn]] void give_up(const std::string& message) {
  std::cerr << "bops-gpu-workload: " << message << '\n';
  std::exit(2);
}

void check(CUresult result, const char* call) {
  if (result != CUDA_SUCCESS)
    give_up(std::string(call) + " failed: CUDA error " + std::to_string(static_cast<int>(result)));
}

/// The functions of the driver, by their types in its header.
struct Driver {
  decltype(&::cuInit) init;
  decltype(&::cuDeviceGet) device_get;
  decltype(&::cuCtxCreate_v4) create_context;
  decltype(&::cuCtxDestroy_v2) destroy_context;
  decltype(&::cuCtxSynchronize) synchronise;
  decltype(&::cuModuleLoadData) load_module;
  decltype(&::cuModuleGetFunction) get_function;
  decltype(&::cuMemAlloc_v2) allocate;
  decltype(&::cuMemcpyHtoD_v2) copy_to;
  decltype(&::cuMemcpyDtoH_v2) copy_from;
  decltype(&::cuLaunchKernel) launch;
  decltype(&::cuCtxSetCurrent) set_context;
  decltype(&::cuStreamCreate) create_stream;
  decltype(&::cuStreamBeginCapture_v2) begin_capture;
  decltype(&::cuStreamEndCapture) end_capture;
  decltype(&::cuGraphInstantiateWithFlags) instantiate_graph;
  decltype(&::cuGraphLaunch) launch_graph;

  Driver() {
    void* library = ::dlopen("libcuda.so.1", RTLD_NOW | RTLD_GLOBAL);
    if (library == nullptr) give_up("there is no NVIDIA driver here");
    const auto find = [library](auto& function, const char* name) {
      function =
          reinterpret_cast<std::remove_reference_t<decltype(function)>>(::dlsym(library, name));
      if (function == nullptr) give_up(std::string("the driver lacks ") + name);
    };
    find(init, "cuInit");
    find(device_get, "cuDeviceGet");
    find(create_context, "cuCtxCreate_v4");
    find(destroy_context, "cuCtxDestroy_v2");
    find(synchronise, "cuCtxSynchronize");
    find(load_module, "cuModuleLoadData");
    find(get_function, "cuModuleGetFunction");
    find(allocate, "cuMemAlloc_v2");
    find(copy_to, "cuMemcpyHtoD_v2");
    find(copy_from, "cuMemcpyDtoH_v2");
    find(launch, "cuLaunchKernel");
    find(set_context, "cuCtxSetCurrent");
    find(create_stream, "cuStreamCreate");
    find(begin_capture, "cuStreamBeginCapture_v2");
    find(end_capture, "cuStreamEndCapture");
    find(instantiate_graph, "cuGraphInstantiateWithFlags");
    find(launch_graph, "cuGraphLaunch");
  }
};

class Gpu {
 public:
  Gpu() {
    check(driver_.init(0), "cuInit");
    CUdevice device = 0;
    check(driver_.device_get(&device, 0), "cuDeviceGet");
    CUctxCreateParams parameters{};
    check(driver_.create_context(&context_, &parameters, 0, device), "cuCtxCreate");
    std::string path(4096, '\0');
    path.resize(static_cast<std::size_t>(
        std::max<ssize_t>(0, ::readlink("/proc/self/exe", path.data(), path.size()))));
    path = path.substr(0, path.rfind('/')) + "/bops-gpu-kernels.fatbin";
    std::ifstream file(path, std::ios::binary);
    image_.assign(std::istreambuf_iterator<char>(file), {});
    if (image_.empty()) give_up("the kernels are missing: " + path);
    check(driver_.load_module(&module_, image_.data()), "cuModuleLoadData");
  }
  Gpu(const Gpu&) = delete;
  Gpu& operator=(const Gpu&) = delete;
  ~Gpu() { (void)driver_.destroy_context(context_); }

  template <class Element>
  CUdeviceptr put(const std::vector<Element>& elements) {
    CUdeviceptr place = 0;
    check(driver_.allocate(&place, elements.size() * sizeof(Element)), "cuMemAlloc");
    check(driver_.copy_to(place, elements.data(), elements.size() * sizeof(Element)), "cuMemcpy");
    return place;
  }
  template <class Element>
  std::vector<Element> get(CUdeviceptr place, std::size_t size) {
    std::vector<Element> elements(size);
    check(driver_.copy_from(elements.data(), place, size * sizeof(Element)), "cuMemcpy");
    return elements;
  }
  void make_current() { check(driver_.set_context(context_), "cuCtxSetCurrent"); }

  /// Launches what `record` launches once as one graph, so often.
  template <class Record>
  void launch_as_graph(std::uint64_t times, const Record& record) {
    CUgraph graph = nullptr;
    CUgraphExec executable = nullptr;
    check(driver_.create_stream(&stream_, CU_STREAM_NON_BLOCKING), "cuStreamCreate");
    check(driver_.begin_capture(stream_, CU_STREAM_CAPTURE_MODE_GLOBAL), "cuStreamBeginCapture");
    record();
    check(driver_.end_capture(stream_, &graph), "cuStreamEndCapture");
    check(driver_.instantiate_graph(&executable, graph, 0), "cuGraphInstantiateWithFlags");
    for (std::uint64_t i = 0; i < times; ++i)
      check(driver_.launch_graph(executable, stream_), "cuGraphLaunch");
  }

  template <class... Parameters>
  void launch(const char* name, unsigned blocks_x, unsigned blocks_y, unsigned threads_x,
              unsigned threads_y, Parameters... parameters) {
    CUfunction function = nullptr;
    check(driver_.get_function(&function, module_, name), "cuModuleGetFunction");
    void* pointers[] = {&parameters...};
    check(driver_.launch(function, blocks_x, blocks_y, 1, threads_x, threads_y, 1, 0, stream_,
                         pointers, nullptr),
          "cuLaunchKernel");
  }
  void wait() { check(driver_.synchronise(), "cuCtxSynchronize"); }

 private:
  Driver driver_;
  CUcontext context_ = nullptr;
  CUmodule module_ = nullptr;
  CUstream stream_ = nullptr;
  std::vector<char> image_;
};

/// Small integers, exact in every format that is used.
std::vector<float> numbers(std::size_t size) {
  std::vector<float> values(size);
  for (std::size_t i = 0; i < size; ++i) values[i] = static_cast<float>(i * 7 % 5);
  return values;
}

/// IEEE half of 0 ... 4.
std::vector<std::uint16_t> halves(std::size_t size) {
  constexpr std::uint16_t kHalves[] = {0x0000, 0x3c00, 0x4000, 0x4200, 0x4400};
  std::vector<std::uint16_t> values(size);
  for (std::size_t i = 0; i < size; ++i) values[i] = kHalves[i * 7 % 5];
  return values;
}

bool is_product(const std::vector<float>& c, const std::vector<float>& ab, std::size_t n) {
  for (const std::size_t row : {std::size_t{0}, n / 2, n - 1})
    for (const std::size_t column : {std::size_t{0}, n / 3, n - 1}) {
      double sum = 0;
      for (std::size_t k = 0; k < n; ++k) sum += ab[row * n + k] * ab[k * n + column];
      if (c[row * n + column] != static_cast<float>(sum)) return false;
    }
  return true;
}

bool run(const std::string& name, std::uint64_t size) {
  Gpu gpu;
  const auto n = static_cast<unsigned>(size);
  constexpr auto kGrid = static_cast<unsigned>(kBlocks);
  constexpr auto kBlock = static_cast<unsigned>(kThreads);
  if (name == "stream_triad") {
    const std::vector<float> b = numbers(n);
    const CUdeviceptr a = gpu.put(std::vector<float>(n)), from = gpu.put(b);
    const auto threads = static_cast<unsigned>(kTriadThreads);
    gpu.launch("stream_triad", (n + threads - 1) / threads, 1, threads, 1, a, from, from, 3.0F, n);
    gpu.wait();
    const std::vector<float> result = gpu.get<float>(a, n);
    for (std::size_t i = 0; i < n; ++i)
      if (result[i] != b[i] + 3 * b[i]) return false;
    return true;
  }
  if (name == "matmul_fp32") {
    const std::vector<float> ab = numbers(std::size_t{n} * n);
    const CUdeviceptr c = gpu.put(std::vector<float>(ab.size())), from = gpu.put(ab);
    const unsigned blocks = (n + 15) / 16;
    gpu.launch("matmul_fp32", blocks, blocks, 16, 16, c, from, from, n);
    gpu.wait();
    return is_product(gpu.get<float>(c, ab.size()), ab, n);
  }
  if (name == "matmul_tensor") {
    const std::size_t elements = std::size_t{n} * n;
    const CUdeviceptr c = gpu.put(std::vector<float>(elements)), from = gpu.put(halves(elements));
    gpu.launch("matmul_tensor", n / 16, n / 16, 32, 1, c, from, from, n);
    gpu.wait();
    return is_product(gpu.get<float>(c, elements), numbers(elements), n);
  }
  if (name == "bitonic_step") {
    std::vector<unsigned> keys(n);
    unsigned next = 1;
    for (unsigned& key : keys) key = next = next * 1664525 + 1013904223;
    const CUdeviceptr place = gpu.put(keys);
    for (unsigned part = 2; part <= n; part *= 2)
      for (unsigned distance = part / 2; distance > 0; distance /= 2)
        gpu.launch("bitonic_step", n / 2 / 256, 1, 256, 1, place, distance, part);
    gpu.wait();
    const auto sorted = gpu.get<unsigned>(place, n);
    std::sort(keys.begin(), keys.end());
    return sorted == keys;
  }
  if (name == "tiny_launches") {
    for (std::uint64_t i = 0; i < size; ++i) gpu.launch("only_branches", 1, 1, 32, 1, 1U);
    gpu.wait();
    return true;
  }
  if (name == "graph_launches") {
    gpu.launch_as_graph(size / kGraphNodes, [&gpu] {
      for (std::uint64_t i = 0; i < kGraphNodes; ++i) gpu.launch("only_branches", 1, 1, 32, 1, 1U);
    });
    gpu.wait();
    return true;
  }
  if (name == "two_contexts") {
    Gpu other;
    for (std::uint64_t i = 0; i < size; ++i) {
      Gpu& next = i % 2 == 0 ? gpu : other;
      next.make_current();
      next.launch("only_branches", 1, 1, 32, 1, 1U);
    }
    for (Gpu* each : {&gpu, &other}) {
      each->make_current();
      each->wait();
    }
    return true;
  }
  const CUdeviceptr out = gpu.put(std::vector<unsigned>(kBlocks * kThreads));
  if (name == "only_sts" || name == "only_branches")
    gpu.launch(name.c_str(), kGrid, 1, kBlock, 1, n);
  else
    gpu.launch(name.c_str(), kGrid, 1, kBlock, 1, out, n);
  gpu.wait();
  return true;
}

nlohmann::json describe(const KernelInfo& kernel, std::uint64_t size) {
  nlohmann::json row{{"name", kernel.name}, {"title", kernel.title}, {"size", size}};
  row["expectations"] = nlohmann::json::array();
  for (const Expectation& each : expectations(kernel.name, size))
    row["expectations"].push_back(
        {{"what", each.what}, {"count", each.count}, {"within", each.within}});
  return row;
}

const KernelInfo* find(const std::string& name) {
  for (const KernelInfo& kernel : kernels())
    if (kernel.name == name) return &kernel;
  return nullptr;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  const std::string verb = words.empty() ? "" : words[0];
  if (verb == "list" && words.size() == 1) {
    nlohmann::json rows = nlohmann::json::array();
    for (const KernelInfo& kernel : kernels()) rows.push_back(describe(kernel, kernel.size));
    std::cout << rows.dump(2) << '\n';
    return 0;
  }
  const KernelInfo* kernel = words.size() > 1 ? find(words[1]) : nullptr;
  if (kernel == nullptr || words.size() > 3 || (verb != "list" && verb != "run"))
    give_up("usage: bops-gpu-workload list [KERNEL SIZE] | run KERNEL [SIZE]");
  const std::uint64_t size =
      words.size() == 3 ? std::strtoull(words[2].c_str(), nullptr, 10) : kernel->size;
  if (!is_size_of(kernel->name, size)) give_up("no size of " + kernel->name + ": " + words.back());
  if (verb == "list") {
    std::cout << describe(*kernel, size).dump(2) << '\n';
    return 0;
  }
  if (run(kernel->name, size)) return 0;
  std::cerr << "bops-gpu-workload: the result of " << kernel->name << " is wrong\n";
  return 1;
}
