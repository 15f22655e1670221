// What GPUs execute: a library that the driver loads into every CUDA program counts through CUPTI.
#pragma once

#include <memory>

#include "model/collector.hpp"

namespace bops::cuda {

[[nodiscard]] std::unique_ptr<Collector> make_cuda_collector();

}  // namespace bops::cuda
