// Stream with weights of 16 or 8 bits and a float32 state.
// ops/quantised.py is the reference and quantizes the weights, which are only packed here.
#pragma once

#include <vector>

#include "core/memory.h"
#include "core/threads.h"
#include "quantised/narrow_layer.h"

namespace gruworks {

// The build in use (recurrence.h), or its variant with dot products of 8 bits if the processor has them.
const NarrowKernels& narrow_kernels();
void allow_dot_products(bool allowed);  // for new streams; the tests compare the builds without them too

// Rows r, z, n as torch has them, contiguous; scales of int8 rows, else null.
struct NarrowMatrix {
  Narrow kind;
  const void* rows;    // [3H, K]
  const float* scale;  // [3H]
  Index K;
};

// Gates [first, last) of `from`, `lanes` of their H rows together. `memory` owns the packed data.
NarrowPacked pack_narrow(const NarrowMatrix& from, Index H, Index first, Index last, Index lanes,
                         std::vector<Block<uint32_t>>& memory);

constexpr Index kAlone8 = 2000000;  // multiply-adds of 8 bits below which a second thread does not pay

// Packed weights and biases of a layer and the kernels that read them.
struct NarrowWeights {
  const NarrowKernels& kernels;
  std::vector<Block<uint32_t>> memory;
  NarrowLayer layer;
  NarrowWeights(const NarrowMatrix& x, const NarrowMatrix& h, const float* b_ih, const float* b_hh, Index H, bool before);
  NarrowWeights(const NarrowWeights&) = delete;

 private:
  void pack_biases(const float* b_ih, const float* b_hh);
};

// `state` [sessions, H] is the caller's; a step updates it in place. Sessions are divided among threads.
class NarrowStream {
 public:
  NarrowStream(const NarrowMatrix& x, const NarrowMatrix& h, const float* b_ih, const float* b_hh, Index H, bool before,
               Index sessions, float* state, int threads);
  void step(const float* x);  // [sessions, I], or precomputed input projections [sessions, 3H]
  const char* build() const { return weights_.kernels.name; }
  Index width() const { return weights_.layer.input == Narrow::projected ? 3 * weights_.layer.H : weights_.layer.I; }

 private:
  NarrowWeights weights_;
  Index sessions_;
  float* state_;
  Place place_;
  std::vector<Flag> flags_;
  Index scratch_size_;
  Block<float> scratch_;
};

}  // namespace gruworks
