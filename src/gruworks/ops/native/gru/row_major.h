// Calls that use the weights only a few times, computed from torch's row-major weights without packing or hashing.
#pragma once

#include "gru/problem.h"

namespace gruworks {

// Functions of one build, each the work of one thread; the threads are members of one group. `zeros` [padded(H)]
// replace a null h0; s.work is [B][4Hp] in inference; each thread has scratch [B][Hp].
template <class T> struct RowMajor {
  void (*forward)(const Sequence<T>&, const Weights<T>&, Place, const T* zeros);
  void (*backward)(const Sequence<T>&, const Gradient<T>&, const Weights<T>&, Place, const T* zeros, T* scratch);
};

struct RowMajorBuild {
  RowMajor<float> f32;
  RowMajor<double> f64;
};

const RowMajorBuild& row_major();  // of the build in use

}  // namespace gruworks
