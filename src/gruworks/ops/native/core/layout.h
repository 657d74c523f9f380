// Memory layouts that all kernels share: padded widths, strided arrays.
#pragma once

#include "core/index.h"

namespace gruworks {

constexpr Index kBlock = 1 << 16;  // of chance.h: numbers drawn from one seed

// H padded so that every instruction set has whole vectors and row blocks; also the unit of the packed layouts.
constexpr Index kPad = 16;
constexpr Index padded(Index n) { return (n + kPad - 1) / kPad * kPad; }

template <class T> struct Array3 {  // [T, B, ...], the last axis contiguous
  T* data = nullptr;
  Index t = 0, b = 0;
  T* at(Index step, Index row) const { return data + step * t + row * b; }
};

}  // namespace gruworks
