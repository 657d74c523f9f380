// Whole sequences with weights of 16 or 8 bits: projections of many steps at once, then step by step.
#pragma once

#include "quantised/quantised.h"

namespace gruworks {

// Operands of a call; `lengths` [B] and `h0` [B, H] may be null. Outputs beyond a row's length are not written.
struct NarrowCall {
  Index steps, batch;
  bool reverse;
  Array3<const float> x;  // [T, B, I]
  const float* h0;
  const int64_t* lengths;
  Array3<float> output;  // [T, B, H]
  float* final;          // [B, H]

  Index length(Index row) const { return lengths ? lengths[row] : steps; }
  Index time(Index row, Index step) const { return reverse ? length(row) - 1 - step : step; }
};

// One layer in one direction. Calls share only the weights, so that threads may use one sequence together.
class NarrowSequence {
 public:
  NarrowSequence(const NarrowMatrix& x, const NarrowMatrix& h, const float* b_ih, const float* b_hh, Index H,
                 bool before);
  void run(const NarrowCall&, int threads) const;
  const char* build() const { return weights_.kernels.name; }

 private:
  void rows(const NarrowCall&, const Index* order, Index count, float* memory) const;
  Index steps_together(Index count) const { return count < kTogether ? kTogether / count : 1; }
  Index scratch(Index count) const;

  static constexpr Index kTogether = 32;  // rows whose projections are computed before their steps
  NarrowWeights weights_;
  NarrowLayer projected_;  // the same weights, for steps over projections
};

}  // namespace gruworks
