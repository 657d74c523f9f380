// Input projections of many steps: a tile of rows is quantized once, and each panel of weights serves all of them.
#pragma once

#include "quantised/narrow.h"

namespace gruworks::GRUWORKS_ISA {

constexpr Index kTile = 32;  // rows

// Scratch memory in floats: the converted rows of a tile.
inline Index project_scratch(const NarrowLayer& w) { return kTile * padded(w.I); }

template <class X, int R>
GRUWORKS_INLINE void project_block(const NarrowLayer& w, Index panel, const typename X::Row* rows, const float* of_row,
                                   float* gi) {
  V sums[R][3];
  product<X, R, 3>(w.x, panel, padded(w.H), rows, padded(w.I), of_row, sums);
  for (int i = 0; i < R; ++i)
    for (int g = 0; g < 3; ++g)
      store_part(gi + (3 * i + g) * w.H + panel * kL, sums[i][g], w.H - panel * kL);
}

template <class X>
void project_tile(const NarrowLayer& w, const float* const* x, Index count, float* gi, typename X::Row* rows) {
  const Index Ip = padded(w.I);
  float of_row[kTile];
  for (Index i = 0; i < count; ++i) of_row[i] = X::read(rows + i * Ip, x[i], w.I);
  for (Index panel = 0; panel * kL < w.H; ++panel) {
    Index i = 0;
    for (; i + kRows <= count; i += kRows)
      project_block<X, kRows>(w, panel, rows + i * Ip, of_row + i, gi + 3 * i * w.H);
    for (; i < count; ++i) project_block<X, 1>(w, panel, rows + i * Ip, of_row + i, gi + 3 * i * w.H);
  }
}

template <class X>
void project_rows(const NarrowLayer& w, const float* const* x, Index count, float* gi, float* memory) {
  for (Index first = 0; first < count; first += kTile) {
    const Index some = count - first < kTile ? count - first : kTile;
    project_tile<X>(w, x + first, some, gi + 3 * first * w.H, as<X>(memory));
  }
}

// gi [count, 3H] = rows x[i] [I] times W_ih', without biases.
inline void project(const NarrowLayer& w, const float* const* x, Index count, float* gi, float* memory) {
  if (w.input == Narrow::bfloat16) return project_rows<BFloat16>(w, x, count, gi, memory);
  if (w.input == Narrow::int8) return project_rows<Int8>(w, x, count, gi, memory);
  project_rows<Float32>(w, x, count, gi, memory);
}

}  // namespace gruworks::GRUWORKS_ISA
