// Calls that use the weights only a few times, from the weights as torch stores them: nothing is packed, nothing hashed.
#pragma once

#include "gru/problem.h"

namespace gruworks {

// Of one build, each one thread's part; the threads are members of one group. `zeros` [padded(H)] stand for no h0;
// s.work [B][4Hp] where nothing is saved; each
// thread has scratch [B][Hp].
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
