// SIMD vectors (compiler extensions), one width for each instruction set; logistic function and tanh.
//
// This file and all that include it are compiled once for each instruction set, in a namespace of that name
// (GRUWORKS_ISA): of two builds of one inline function the linker would keep an arbitrary one.
// For the same reason nothing here uses the standard library's templates, but for types without code.
#pragma once

#include <cstdint>
#include <cstring>
#include <utility>

#include "core/compiler.h"
#include "core/index.h"

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#endif

#ifndef GRUWORKS_ISA
#define GRUWORKS_ISA GRUWORKS_BASE
#endif

// Loops that need all 16 registers are not inlined: inlined, a quarter of the accumulators were spilled to memory.
#if defined(__AVX512F__)
#define GRUWORKS_ALONE GRUWORKS_INLINE
#else
#define GRUWORKS_ALONE GRUWORKS_NOINLINE
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
  static constexpr Bits kSign = INT32_MIN;
  static constexpr float kMagic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
  static constexpr float kLowest = -127.0f;     // as an exponent: the bits of 0
  // (2^f - 1) / f on [-1/2, 1/2] through the Chebyshev nodes: relative error 1.2e-8.
  static constexpr float kPoly[] = {0.693147188026f,   0.240226507606f,   0.0555035711422f,
                                    0.00961808255728f, 0.00133908633647f, 0.000154531629451f};
};
template <> struct Traits<double> {
  using Bits = int64_t;
  static constexpr int kMantissa = 52;
  static constexpr Bits kSign = INT64_MIN;
  static constexpr double kMagic = 6755399441055744.0;
  static constexpr double kLowest = -1023.0;
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
template <class T> constexpr Index kLanes = kBytes / static_cast<Index>(sizeof(T));

template <class T> GRUWORKS_INLINE Vec<T> load(const T* p) {
  return *reinterpret_cast<const typename VecOf<T>::Loose*>(p);
}
template <class T> GRUWORKS_INLINE void store(T* p, Vec<T> v) {
  *reinterpret_cast<typename VecOf<T>::Loose*>(p) = v;
}
// Non-temporal store to aligned memory; `fence` after the last one, before another thread reads.
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

// Compiler barrier: keeps the order of these results.
template <class V> GRUWORKS_INLINE void in_order(V& v) {
#if defined(__x86_64__)
  asm volatile("" : "+v"(v));
#elif defined(__aarch64__)
  asm volatile("" : "+w"(v));
#else
  (void)v;
#endif
}

#if defined(__AVX2__) && !defined(__AVX512F__)
// All bits set in the first n lanes.
template <class T> GRUWORKS_INLINE __m256i first_lanes(Index n) {
  if constexpr (sizeof(T) == 4)
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  else return _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3));
}
#endif

// Partial vector at the end of a row: its n elements (none for negative n), zeros in the other lanes.
template <class T> GRUWORKS_INLINE Vec<T> load_part(const T* p, Index n) {
  if (n >= kLanes<T>) return load(p);
  if (n <= 0) return Vec<T>{};
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) return (Vec<T>)_mm512_maskz_loadu_ps((1u << n) - 1, p);
  else return (Vec<T>)_mm512_maskz_loadu_pd((1u << n) - 1, p);
#elif defined(__AVX2__)
  if constexpr (sizeof(T) == 4) return (Vec<T>)_mm256_maskload_ps(p, first_lanes<T>(n));
  else return (Vec<T>)_mm256_maskload_pd(p, first_lanes<T>(n));
#else
  Vec<T> v = {};
  for (Index i = 0; i < n; ++i) v[i] = p[i];
  return v;
#endif
}
template <class T> GRUWORKS_INLINE void store_part(T* p, Vec<T> v, Index n) {
  if (n >= kLanes<T>) return store(p, v);
  if (n <= 0) return;
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) _mm512_mask_storeu_ps(p, (1u << n) - 1, (__m512)v);
  else _mm512_mask_storeu_pd(p, (1u << n) - 1, (__m512d)v);
#elif defined(__AVX2__)
  if constexpr (sizeof(T) == 4) _mm256_maskstore_ps(p, first_lanes<T>(n), (__m256)v);
  else _mm256_maskstore_pd(p, first_lanes<T>(n), (__m256d)v);
#else
  for (Index i = 0; i < n; ++i) p[i] = v[i];
#endif
}

// The first n lanes, zeros in the others.
template <class T> GRUWORKS_INLINE Vec<T> only(Vec<T> v, Index n) {
  if (n >= kLanes<T>) return v;
  T kept[kLanes<T>];
  store(kept, v);
  return load_part(kept, n);
}

// Lane i of the result is lane Source()(i) of a and b together.
template <class T, class Source, size_t... I>
GRUWORKS_INLINE Vec<T> shuffle(Vec<T> a, Vec<T> b, Source, std::index_sequence<I...>) {
#if defined(__clang__)
  return __builtin_shufflevector(a, b, Source()(static_cast<Index>(I))...);
#else
  return __builtin_shuffle(a, b, typename VecOf<T>::Bits{Source()(static_cast<Index>(I))...});
#endif
}
template <class T, class Source> GRUWORKS_INLINE Vec<T> shuffle(Vec<T> a, Vec<T> b, Source source) {
  return shuffle<T>(a, b, source, std::make_index_sequence<kLanes<T>>());
}

// Minimum, or maximum, of a constant and y; a NaN in y is preserved.
template <class T> GRUWORKS_INLINE Vec<T> at_most(T limit, Vec<T> y) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) return (Vec<T>)_mm512_min_ps((__m512)all<T>(limit), (__m512)y);
  else return (Vec<T>)_mm512_min_pd((__m512d)all<T>(limit), (__m512d)y);
#else
  return limit < y ? all<T>(limit) : y;
#endif
}
template <class T> GRUWORKS_INLINE Vec<T> at_least(T limit, Vec<T> y) { return limit > y ? all<T>(limit) : y; }

// The sign bit of every lane, and -|a|.
template <class T> GRUWORKS_INLINE typename VecOf<T>::Bits sign(Vec<T> a) {
  return (typename VecOf<T>::Bits)a & Traits<T>::kSign;
}
template <class T> GRUWORKS_INLINE Vec<T> below_zero(Vec<T> a) {
  return (Vec<T>)((typename VecOf<T>::Bits)a | Traits<T>::kSign);
}

// 2^y as scale * (1 + rest): `rest` keeps its digits where 2^y is near 1, which tanh needs near 0.
template <class T> struct Power {
  Vec<T> scale, rest;
};
// Integer and fractional part of y <= 0, the first as a power of 2; 0 below the range of the type.
template <class T> GRUWORKS_INLINE Power<T> split(Vec<T> y) {
#if defined(__AVX512DQ__)
  if constexpr (sizeof(T) == 4)
    return {(Vec<T>)_mm512_scalef_ps(_mm512_set1_ps(1), _mm512_roundscale_ps((__m512)y, 8)),
            (Vec<T>)_mm512_reduce_ps((__m512)y, 8)};
  else
    return {(Vec<T>)_mm512_scalef_pd(_mm512_set1_pd(1), _mm512_roundscale_pd((__m512d)y, 8)),
            (Vec<T>)_mm512_reduce_pd((__m512d)y, 8)};
#else
  using C = Traits<T>;
  using Bits = typename VecOf<T>::Bits;
  y = at_least<T>(C::kLowest, y);
  const Vec<T> shifted = y + C::kMagic;
  return {(Vec<T>)(((Bits)shifted << C::kMantissa) + (Bits)all<T>(1)), y - (shifted - C::kMagic)};
#endif
}

// Value of the polynomial C::kPoly[From..From + Count] at x in pairs (Estrin): for one value alone, whose latency counts.
template <class T, int From, int Count> GRUWORKS_INLINE Vec<T> in_pairs(const Vec<T>* powers) {
  if constexpr (Count == 1) return all<T>(Traits<T>::kPoly[From]);
  else {
    constexpr int level = Count > 8 ? 3 : Count > 4 ? 2 : Count > 2 ? 1 : 0, half = 1 << level;
    return in_pairs<T, From + half, Count - half>(powers) * powers[level] + in_pairs<T, From, half>(powers);
  }
}

// Several interleaved: one alone is a chain of dependent operations, longer than the out-of-order window of a processor
// can overlap with the next.
template <class T, int N, bool Pairs = false>
GRUWORKS_INLINE void power_of_two(const Vec<T> (&y)[N], Power<T> (&e)[N]) {
  using C = Traits<T>;
  constexpr int n = sizeof(C::kPoly) / sizeof(T);
  if constexpr (Pairs) {
GRUWORKS_UNROLL(8)
    for (int j = 0; j < N; ++j) {
      e[j] = split<T>(y[j]);
      Vec<T> powers[4] = {e[j].rest};
GRUWORKS_UNROLL(3)
      for (int i = 1; i < 4; ++i) powers[i] = powers[i - 1] * powers[i - 1];
      e[j].rest *= in_pairs<T, 0, n>(powers);
    }
    return;
  }
  Vec<T> q[N];
GRUWORKS_UNROLL(8)
  for (int j = 0; j < N; ++j) e[j] = split<T>(y[j]), q[j] = all<T>(C::kPoly[n - 1]);
GRUWORKS_UNROLL(16)
  for (int i = n - 2; i >= 0; --i)
GRUWORKS_UNROLL(8)
    for (int j = 0; j < N; ++j) {
      q[j] = q[j] * e[j].rest + C::kPoly[i];
      in_order(q[j]);
    }
GRUWORKS_UNROLL(8)
  for (int j = 0; j < N; ++j) e[j].rest *= q[j];
}

constexpr double kLog2e = 1.4426950408889634074;

// 1 / a for a from 1 to 2, 1 for 1. In AVX-512 an approximation of 14 bits and one Newton step: a quarter of a
// division's time, with an error of at most 1 ulp.
template <class T> GRUWORKS_INLINE Vec<T> inverse(Vec<T> a) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) {
    const Vec<T> guess = (Vec<T>)_mm512_rcp14_ps((__m512)a);
    return guess + guess * (T(1) - a * guess);
  }
#endif
  return T(1) / a;
}

// Activation functions as top / bottom. Both are formed from a power of e of at most 1, so that nothing overflows, the
// bottom lies between 1 and 2, and arguments out of range, infinity included, give the exact limits.
template <class T> struct Fraction {
  Vec<T> top, bottom;
  GRUWORKS_INLINE Vec<T> value() const {
    if constexpr (kBytes == 64 && sizeof(T) == 4) return top * inverse<T>(bottom);
    else return top / bottom;
  }
};

// The logistic function: 1 / (1 + e^-a), or e^a / (1 + e^a) where a is negative, which is accurate near 0.
template <class T, int N, bool Pairs = false>
GRUWORKS_INLINE void sigmoid_fractions(const Vec<T> (&a)[N], Fraction<T> (&to)[N]) {
  Vec<T> y[N];
  Power<T> e[N];
GRUWORKS_UNROLL(8)
  for (int j = 0; j < N; ++j) y[j] = below_zero<T>(a[j] * T(kLog2e));
  power_of_two<T, N, Pairs>(y, e);
GRUWORKS_UNROLL(8)
  for (int j = 0; j < N; ++j) {
    const Vec<T> power = e[j].scale * e[j].rest + e[j].scale;
    to[j] = {a[j] >= T(0) ? all<T>(1) : power, e[j].scale * e[j].rest + (e[j].scale + T(1))};
  }
}

template <class T> GRUWORKS_INLINE Vec<T> sigmoid(Vec<T> a) {
  Vec<T> one[1] = {a};
  Fraction<T> f[1];
  sigmoid_fractions<T, 1>(one, f);
  return f[0].value();
}

// tanh(a), from 1 - e^-2|a| without cancellation.
template <class T, int N, bool Pairs = false>
GRUWORKS_INLINE void tanh_fractions(const Vec<T> (&a)[N], Fraction<T> (&to)[N]) {
  Vec<T> y[N];
  Power<T> e[N];
GRUWORKS_UNROLL(8)
  for (int j = 0; j < N; ++j) y[j] = below_zero<T>(a[j] * T(2 * kLog2e));
  power_of_two<T, N, Pairs>(y, e);
GRUWORKS_UNROLL(8)
  for (int j = 0; j < N; ++j) {
    const Vec<T> top = (T(1) - e[j].scale) - e[j].scale * e[j].rest;
    to[j] = {(Vec<T>)((typename VecOf<T>::Bits)top | sign<T>(a[j])), T(2) - top};
  }
}
template <class T> GRUWORKS_INLINE Fraction<T> tanh_fraction(Vec<T> a) {
  Vec<T> one[1] = {a};
  Fraction<T> f[1];
  tanh_fractions<T, 1>(one, f);
  return f[0];
}

}  // namespace gruworks::GRUWORKS_ISA
