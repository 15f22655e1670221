// The reference kernels of GPUs. Each is called by its plain name with the parameters that
// gpu_kernels.cpp lists, and executes what that file says.
#include <mma.h>

namespace {

constexpr int kTile = 16;

}  // namespace

/// a[i] = b[i] + scalar * c[i]
extern "C" __global__ void stream_triad(float* a, const float* b, const float* c, float scalar,
                                        unsigned n) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) a[i] = __fmaf_rn(scalar, c[i], b[i]);
}

/// c = a b, n x n, one thread for each element.
extern "C" __global__ void matmul_fp32(float* c, const float* a, const float* b, unsigned n) {
  const unsigned row = blockIdx.y * blockDim.y + threadIdx.y;
  const unsigned column = blockIdx.x * blockDim.x + threadIdx.x;
  if (row >= n || column >= n) return;
  float sum = 0;
  for (unsigned k = 0; k < n; ++k) sum = __fmaf_rn(a[row * n + k], b[k * n + column], sum);
  c[row * n + column] = sum;
}

/// c = a b, n x n, half to float, one warp for each tile of 16 x 16: n^3 / 4096 matrix operations.
extern "C" __global__ void matmul_tensor(float* c, const __half* a, const __half* b, unsigned n) {
  namespace wmma = nvcuda::wmma;
  wmma::fragment<wmma::matrix_a, kTile, kTile, kTile, __half, wmma::row_major> left;
  wmma::fragment<wmma::matrix_b, kTile, kTile, kTile, __half, wmma::row_major> right;
  wmma::fragment<wmma::accumulator, kTile, kTile, kTile, float> sum;
  wmma::fill_fragment(sum, 0.0f);
  const unsigned row = blockIdx.y * kTile;
  const unsigned column = blockIdx.x * kTile;
  for (unsigned k = 0; k < n; k += kTile) {
    wmma::load_matrix_sync(left, a + row * n + k, n);
    wmma::load_matrix_sync(right, b + k * n + column, n);
    wmma::mma_sync(sum, left, right, sum);
  }
  wmma::store_matrix_sync(c + row * n + column, sum, n, wmma::mem_row_major);
}

/// One step of the bitonic sort of n keys, n a power of two, one thread for each pair of keys.
extern "C" __global__ void bitonic_step(unsigned* keys, unsigned distance, unsigned size) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  const unsigned low = 2 * i - (i & (distance - 1));
  const unsigned high = low + distance;
  const bool ascending = (low & size) == 0;
  const unsigned a = keys[low];
  const unsigned b = keys[high];
  if ((a > b) == ascending) {
    keys[low] = b;
    keys[high] = a;
  }
}

// --- Kernels that do one thing: `n` of it for each thread, and a loop around eight of it -----------

/// Stores to shared memory: STS.
extern "C" __global__ void only_sts(unsigned n) {
  __shared__ unsigned place[1024];
  const unsigned address = static_cast<unsigned>(__cvta_generic_to_shared(&place[threadIdx.x]));
#pragma unroll 1
  for (unsigned i = 0; i < n; i += 8) {
#pragma unroll
    for (unsigned j = 0; j < 8; ++j)
      asm volatile("st.volatile.shared.u32 [%0], %1;" ::"r"(address), "r"(i) : "memory");
  }
}

__constant__ unsigned table[1024];

/// Loads from constant memory at places that are not known before: LDC.
extern "C" __global__ void only_ldc(unsigned* out, unsigned n) {
  unsigned place = threadIdx.x & 1023u;
#pragma unroll 1
  for (unsigned i = 0; i < n; i += 8) {
#pragma unroll
    for (unsigned j = 0; j < 8; ++j) place = table[place & 1023u];  // each names the next
  }
  out[blockIdx.x * blockDim.x + threadIdx.x] = place;
}

/// Branches back, and nothing else: one for each of n.
extern "C" __global__ void only_branches(unsigned n) {
  asm volatile(
      "{ .reg .u32 left; .reg .pred more; mov.u32 left, %0;\n"
      "again: sub.u32 left, left, 1; setp.ne.u32 more, left, 0; @more bra again; }" ::"r"(n));
}

/// Exchanges between the threads of a warp: SHFL.
extern "C" __global__ void only_shuffles(unsigned* out, unsigned n) {
  unsigned value = threadIdx.x;
#pragma unroll 1
  for (unsigned i = 0; i < n; i += 8) {
#pragma unroll
    for (unsigned j = 0; j < 8; ++j)
      asm volatile("shfl.sync.bfly.b32 %0, %0, 1, 31, 0xffffffff;" : "+r"(value));
  }
  out[blockIdx.x * blockDim.x + threadIdx.x] = value;
}

/// Matrix instructions m16n8k8, half to float, which every tensor core since Turing has: HMMA.
extern "C" __global__ void only_hmma(float* out, unsigned n) {
  float c0 = 0, c1 = 0, c2 = 0, c3 = 0;
  const unsigned one = 0x3c003c00u;  // two halves of 1.0
#pragma unroll 1
  for (unsigned i = 0; i < n; i += 8) {
#pragma unroll
    for (unsigned j = 0; j < 8; ++j)
      asm volatile(
          "mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5}, {%6}, "
          "{%0,%1,%2,%3};"
          : "+f"(c0), "+f"(c1), "+f"(c2), "+f"(c3)
          : "r"(one), "r"(one), "r"(one));
  }
  out[blockIdx.x * blockDim.x + threadIdx.x] = c0 + c1 + c2 + c3;
}
