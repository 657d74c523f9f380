// Memory layouts that all kernels share: padded widths, strided arrays.
#pragma once

namespace gruworks {

constexpr long kBlock = 1 << 16;  // of chance.h: numbers drawn from one seed

// H padded so that every instruction set has whole vectors and row blocks; also the unit of the packed layouts.
constexpr long kPad = 16;
constexpr long padded(long n) { return (n + kPad - 1) / kPad * kPad; }

template <class T> struct Array3 {  // [T, B, ...], the last axis contiguous
  T* data = nullptr;
  long t = 0, b = 0;
  T* at(long step, long row) const { return data + step * t + row * b; }
};

}  // namespace gruworks
