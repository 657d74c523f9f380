// Layer normalization of one row, a few gates at once, and its gradient.
//
// Rows are zero-padded beyond their H elements, in the results too.
#pragma once

#include "core/simd.h"

namespace gruworks::GRUWORKS_ISA {

constexpr double kEpsilon = 1e-5;  // added to the variance, as torch does

template <class T> GRUWORKS_INLINE T total(Vec<T> v) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) return _mm512_reduce_add_ps((__m512)v);
  else return _mm512_reduce_add_pd((__m512d)v);
#else
  T sum = 0;
  for (Index i = 0; i < kLanes<T>; ++i) sum += v[i];
  return sum;
#endif
}

GRUWORKS_INLINE float root(float a) { return __builtin_sqrtf(a); }
GRUWORKS_INLINE double root(double a) { return __builtin_sqrt(a); }

// Calls f(j, n) for every vector of H entries, n of which exist.
template <class T, class F> GRUWORKS_INLINE void along(Index H, F&& f) {
  Index j = 0;
  for (; j + kLanes<T> <= H; j += kLanes<T>) f(j, kLanes<T>);
  if (j < H) f(j, H - j);
}

// Normalizes `from` (H elements; may alias a) into a; scale: 1 / standard deviation.
template <class T, int G>
GRUWORKS_INLINE void normalise(const T* const (&from)[G], T* const (&a)[G], Index H, T (&scale)[G],
                               T epsilon = T(kEpsilon)) {
  Vec<T> sums[G] = {}, squares[G] = {};
  T mean[G];
  along<T>(H, [&](Index j, Index n) __attribute__((always_inline)) {
    for (int g = 0; g < G; ++g) sums[g] += load_part(from[g] + j, n);
  });
  for (int g = 0; g < G; ++g) mean[g] = total<T>(sums[g]) / H;
  along<T>(H, [&](Index j, Index n) __attribute__((always_inline)) {
    for (int g = 0; g < G; ++g) {
      store_part(a[g] + j, load_part(from[g] + j, n) - mean[g], n);
      const Vec<T> centred = load_part(a[g] + j, n);
      squares[g] += centred * centred;
    }
  });
  for (int g = 0; g < G; ++g) scale[g] = 1 / root(total<T>(squares[g]) / H + epsilon);
  along<T>(H, [&](Index j, Index n) __attribute__((always_inline)) {
    for (int g = 0; g < G; ++g) store_part(a[g] + j, load_part(a[g] + j, n) * scale[g], n);
  });
}

// Gradients of the input of the normalization, written over a, from those of gain * a (+ bias); `gains` accumulates the
// gradient of the gain.
template <class T, int G>
GRUWORKS_INLINE void normalise_back(const T* const (&grad)[G], const T* const (&gain)[G], T* const (&a)[G],
                                    T* const (&to)[G], T* const (&gains)[G], const T (&scale)[G], Index H) {
  Vec<T> plain[G] = {}, turned[G] = {};
  T mean[G], share[G];
  along<T>(H, [&](Index j, Index n) __attribute__((always_inline)) {
    for (int g = 0; g < G; ++g) {
      const Vec<T> d = load_part(grad[g] + j, n), x = load_part(a[g] + j, n), along_x = d * x;
      const Vec<T> weight = load_part(gain[g] + j, n);
      plain[g] += d * weight, turned[g] += along_x * weight;
      store_part(gains[g] + j, load_part(gains[g] + j, n) + along_x, n);
    }
  });
  for (int g = 0; g < G; ++g) mean[g] = total<T>(plain[g]) / H, share[g] = total<T>(turned[g]) / H;
  along<T>(H, [&](Index j, Index n) __attribute__((always_inline)) {
    for (int g = 0; g < G; ++g) {
      const Vec<T> d = load_part(grad[g] + j, n) * load_part(gain[g] + j, n);
      store_part(to[g] + j, scale[g] * (d - mean[g] - load_part(a[g] + j, n) * share[g]), n);
    }
  });
}

}  // namespace gruworks::GRUWORKS_ISA
