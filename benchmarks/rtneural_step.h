// A GRU layer step by step, behind one type for all engines of rtneural_step.cc.
#pragma once

#include <functional>
#include <memory>
#include <vector>

struct Weights {  // rows of the gates r, z, n, as torch stores them
  int inputs, hidden;
  std::vector<float> w_ih, w_hh, b_ih, b_hh;
};

// Takes x [steps, I] and writes y [steps, H]; goes on from the state of the call before.
using Layer = std::function<void(const float* x, float* y, int steps)>;

Layer eigen_layer(const Weights&);
Layer xsimd_layer(const Weights&);
