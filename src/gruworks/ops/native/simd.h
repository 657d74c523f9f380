// Vectors of the compiler, one width an instruction set, and the two functions that a gate needs.
//
// This file and all that include it are compiled once for each instruction set, in a namespace of that name
// (GRUWORKS_ISA): two builds of one inline function must never meet in the linker, which would keep either.
// For the same reason nothing here uses the standard library's templates.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#endif

#ifndef GRUWORKS_ISA
#define GRUWORKS_ISA portable
#endif

#define GRUWORKS_INLINE inline __attribute__((always_inline))
// A loop that needs all of 16 registers stands alone: inlined, a quarter of its sums went to memory and back each time.
#if defined(__AVX512F__)
#define GRUWORKS_ALONE GRUWORKS_INLINE
#else
#define GRUWORKS_ALONE __attribute__((noinline))
#endif

namespace gruworks::GRUWORKS_ISA {

// kRows rows of the batch by 3 vectors are summed in registers: 24 of AVX-512's 32, 12 of the others' 16.
#if defined(__AVX512F__)
constexpr int kBytes = 64, kRows = 8;
#elif defined(__AVX2__)
constexpr int kBytes = 32, kRows = 4;
#else
constexpr int kBytes = 16, kRows = 4;
#endif

template <class T> struct Traits;
template <> struct Traits<float> {
  using Bits = int32_t;
  static constexpr int kMantissa = 23;
  static constexpr float kMagic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
  static constexpr float kLimit = 60.0f;        // 2^60 * 2^60 does not overflow, and 2^-60 is nothing beside 1
  // (2^f - 1) / f on [-1/2, 1/2] through the Chebyshev nodes: relative error 1.2e-8.
  static constexpr float kPoly[] = {0.693147188026f,   0.240226507606f,   0.0555035711422f,
                                    0.00961808255728f, 0.00133908633647f, 0.000154531629451f};
};
template <> struct Traits<double> {
  using Bits = int64_t;
  static constexpr int kMantissa = 52;
  static constexpr double kMagic = 6755399441055744.0;
  static constexpr double kLimit = 500.0;
  // The same, error 2.7e-19.
  static constexpr double kPoly[] = {0.69314718055994530925,   0.24022650695910071233,   0.055504108664821627039,
                                     0.0096181291076284794928, 0.0013333558146406470697, 0.00015403530393370733411,
                                     1.5252733841556772589e-5, 1.321548680870556279e-6,  1.0178057087733941105e-7,
                                     7.0548973041554992774e-9, 4.455817908336064493e-10, 2.5729324177362304214e-11};
};

template <class T> struct VecOf;
template <> struct VecOf<float> {
  typedef float V __attribute__((vector_size(kBytes)));
  typedef float Loose __attribute__((vector_size(kBytes), aligned(4), may_alias));
  typedef int32_t Bits __attribute__((vector_size(kBytes)));
};
template <> struct VecOf<double> {
  typedef double V __attribute__((vector_size(kBytes)));
  typedef double Loose __attribute__((vector_size(kBytes), aligned(8), may_alias));
  typedef int64_t Bits __attribute__((vector_size(kBytes)));
};
template <class T> using Vec = typename VecOf<T>::V;
template <class T> constexpr long kLanes = kBytes / static_cast<long>(sizeof(T));

template <class T> GRUWORKS_INLINE Vec<T> load(const T* p) {
  return *reinterpret_cast<const typename VecOf<T>::Loose*>(p);
}
template <class T> GRUWORKS_INLINE void store(T* p, Vec<T> v) {
  *reinterpret_cast<typename VecOf<T>::Loose*>(p) = v;
}
// Past the caches, to an aligned place; `fence` after the last one, before another thread reads.
template <class T> GRUWORKS_INLINE void store_past(T* p, Vec<T> v) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) _mm512_stream_ps(p, (__m512)v);
  else _mm512_stream_pd(p, (__m512d)v);
#elif defined(__AVX2__)
  if constexpr (sizeof(T) == 4) _mm256_stream_ps(p, (__m256)v);
  else _mm256_stream_pd(p, (__m256d)v);
#else
  store(p, v);
#endif
}
inline void fence() {
#if defined(__AVX2__)
  _mm_sfence();
#endif
}

template <class T> GRUWORKS_INLINE Vec<T> all(T a) { return Vec<T>{} + a; }

// Holds the compiler to the order in which the program names these results.
template <class V> GRUWORKS_INLINE void in_order(V& v) {
#if defined(__x86_64__)
  asm volatile("" : "+v"(v));
#else
  (void)v;
#endif
}

// The last vector of a row whose width is no multiple of the lanes: the n entries that exist, zeros for the others.
template <class T> GRUWORKS_INLINE Vec<T> load_part(const T* p, long n) {
  if (n >= kLanes<T>) return load(p);
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) return (Vec<T>)_mm512_maskz_loadu_ps((1u << n) - 1, p);
  else return (Vec<T>)_mm512_maskz_loadu_pd((1u << n) - 1, p);
#else
  Vec<T> v = {};
  for (long i = 0; i < n; ++i) v[i] = p[i];
  return v;
#endif
}
template <class T> GRUWORKS_INLINE void store_part(T* p, Vec<T> v, long n) {
  if (n >= kLanes<T>) return store(p, v);
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) _mm512_mask_storeu_ps(p, (1u << n) - 1, (__m512)v);
  else _mm512_mask_storeu_pd(p, (1u << n) - 1, (__m512d)v);
#else
  for (long i = 0; i < n; ++i) p[i] = v[i];
#endif
}

// The smaller, or the larger, of a constant and y; a NaN in y stays one.
template <class T> GRUWORKS_INLINE Vec<T> at_most(T limit, Vec<T> y) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) return (Vec<T>)_mm512_min_ps((__m512)all<T>(limit), (__m512)y);
  else return (Vec<T>)_mm512_min_pd((__m512d)all<T>(limit), (__m512d)y);
#else
  return limit < y ? all<T>(limit) : y;
#endif
}
template <class T> GRUWORKS_INLINE Vec<T> at_least(T limit, Vec<T> y) { return limit > y ? all<T>(limit) : y; }

// 2^y as scale * (1 + rest): `rest` keeps its digits where 2^y is near 1, which tanh needs near 0.
template <class T> struct Power {
  Vec<T> scale, rest;
};
// The whole and the broken part of y, the first already as a power.
template <class T> GRUWORKS_INLINE Power<T> split(Vec<T> y) {
  using C = Traits<T>;
  y = at_most<T>(C::kLimit, y);
#if defined(__AVX512DQ__)
  if constexpr (sizeof(T) == 4)
    return {(Vec<T>)_mm512_scalef_ps(_mm512_set1_ps(1), _mm512_roundscale_ps((__m512)y, 8)),
            (Vec<T>)_mm512_reduce_ps((__m512)y, 8)};
  else
    return {(Vec<T>)_mm512_scalef_pd(_mm512_set1_pd(1), _mm512_roundscale_pd((__m512d)y, 8)),
            (Vec<T>)_mm512_reduce_pd((__m512d)y, 8)};
#else
  using Bits = typename VecOf<T>::Bits;
  y = at_least<T>(-C::kLimit, y);
  const Vec<T> shifted = y + C::kMagic;
  return {(Vec<T>)(((Bits)shifted << C::kMantissa) + (Bits)all<T>(1)), y - (shifted - C::kMagic)};
#endif
}

// Several at once, line by line: one alone is a chain of operations that wait for each other, and a processor doesn't
// look far enough ahead to fill the gaps from the next.
template <class T, int N> GRUWORKS_INLINE void power_of_two(const Vec<T> (&y)[N], Power<T> (&e)[N]) {
  using C = Traits<T>;
  constexpr int n = sizeof(C::kPoly) / sizeof(T);
  Vec<T> q[N];
#pragma GCC unroll 8
  for (int j = 0; j < N; ++j) e[j] = split<T>(y[j]), q[j] = all<T>(C::kPoly[n - 1]);
#pragma GCC unroll 16
  for (int i = n - 2; i >= 0; --i)
#pragma GCC unroll 8
    for (int j = 0; j < N; ++j) {
      q[j] = q[j] * e[j].rest + C::kPoly[i];
      in_order(q[j]);
    }
#pragma GCC unroll 8
  for (int j = 0; j < N; ++j) e[j].rest *= q[j];
}

constexpr double kLog2e = 1.4426950408889634074;

// 1 + e^-a, whose inverse is the logistic function.
template <class T, int N> GRUWORKS_INLINE void sigmoid_denominators(const Vec<T> (&a)[N], Vec<T> (&to)[N]) {
  Vec<T> y[N];
  Power<T> e[N];
#pragma GCC unroll 8
  for (int j = 0; j < N; ++j) y[j] = a[j] * T(-kLog2e);
  power_of_two<T, N>(y, e);
#pragma GCC unroll 8
  for (int j = 0; j < N; ++j) to[j] = e[j].scale * e[j].rest + (e[j].scale + T(1));
}

// 1 / a for a between 1 and 2^122. In AVX-512 a first guess of 14 digits and one Newton step: a quarter of a
// division's time, and no further from the truth than one in the last digit.
template <class T> GRUWORKS_INLINE Vec<T> inverse(Vec<T> a) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) {
    const Vec<T> guess = (Vec<T>)_mm512_rcp14_ps((__m512)a);
    return guess + guess * (T(1) - a * guess);
  }
#endif
  return T(1) / a;
}

template <class T> GRUWORKS_INLINE Vec<T> sigmoid(Vec<T> a) {
  Vec<T> one[1] = {a}, bottom[1];
  sigmoid_denominators<T, 1>(one, bottom);
  return inverse<T>(bottom[0]);
}

// tanh(a) = top / bottom, from e^2a - 1 without cancellation.
template <class T> struct Fraction {
  Vec<T> top, bottom;
};
template <class T, int N> GRUWORKS_INLINE void tanh_fractions(const Vec<T> (&a)[N], Fraction<T> (&to)[N]) {
  Vec<T> y[N];
  Power<T> e[N];
#pragma GCC unroll 8
  for (int j = 0; j < N; ++j) y[j] = a[j] * T(2 * kLog2e);
  power_of_two<T, N>(y, e);
#pragma GCC unroll 8
  for (int j = 0; j < N; ++j) {
    const Vec<T> top = e[j].scale * e[j].rest + (e[j].scale - T(1));
    to[j] = {top, top + T(2)};
  }
}
template <class T> GRUWORKS_INLINE Fraction<T> tanh_fraction(Vec<T> a) {
  Vec<T> one[1] = {a};
  Fraction<T> f[1];
  tanh_fractions<T, 1>(one, f);
  return f[0];
}

}  // namespace gruworks::GRUWORKS_ISA
